from connectors.testing.conformance import suite_of
from connectors.webhook.bench import WebhookBench

TestConformance = suite_of(WebhookBench)
