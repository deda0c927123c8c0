from connectors.files.bench import FilesBench
from connectors.testing.conformance import suite_of

TestConformance = suite_of(FilesBench)
