from connectors.jiandaoyun.bench import JianDaoYunBench
from connectors.testing.conformance import suite_of

TestConformance = suite_of(JianDaoYunBench)
