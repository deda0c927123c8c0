"""The healthy connector of the suite's own tests keeps every rule."""

from connectors.testing.conformance import suite_of
from tests.conformance.shop.bench import ShopBench

TestConformance = suite_of(ShopBench, long=True)
