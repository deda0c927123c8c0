from connectors.rest.bench import RestBench
from connectors.testing.conformance import suite_of

TestConformance = suite_of(RestBench)
