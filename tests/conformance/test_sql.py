import pytest

from connectors.sql.bench import SqlBench
from connectors.testing.conformance import suite_of

TestConformance = pytest.mark.needs("pg_ctlcluster")(suite_of(SqlBench))
