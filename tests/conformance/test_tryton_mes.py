"""`tryton-mes` keeps every rule against a real Tryton server."""

from connectors.testing.conformance import suite_of
from deploy.tryton_server.bench import mes_bench

TestConformance = suite_of(mes_bench)
