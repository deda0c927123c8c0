from connectors.files.bench import FilesBench, FilesOutBench
from connectors.testing.conformance import suite_of

TestConformance = suite_of(FilesBench)
TestConformanceOfHandingOver = suite_of(FilesOutBench)
