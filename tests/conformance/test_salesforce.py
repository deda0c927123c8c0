from connectors.salesforce.bench import SalesforceBench
from connectors.testing.conformance import suite_of

TestConformance = suite_of(SalesforceBench)
