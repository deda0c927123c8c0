"""Keys go where Kafka's Java client puts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.partitions import murmur2, partition_of


@pytest.mark.parametrize(
    ("text", "signed"),
    [  # UtilsTest.testMurmur2 of Apache Kafka
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_hash_is_that_of_kafkas_own_tests(text: str, signed: int) -> None:
    assert murmur2(text.encode()) == signed % 2**32


@given(st.text(), st.integers(1, 500))
def test_every_key_has_one_of_the_partitions(key: str, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions
