"""Ids, revisions and content hashes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.document import from_json, to_json
from schemas.identity import (
    ParkedKey,
    connector_of,
    content_hash,
    derived_event_id,
    event_id,
    job_order_id,
    order_key,
    order_key_of_job,
    order_number,
    revision,
    revision_time_us,
)

CONNECTORS = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
HALF = "\ud83d"  # half a character: a far system's script cut a text in the middle of one
ANY_TEXT = st.builds(str.__add__, st.text(), st.sampled_from(["", HALF]))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | ANY_TEXT
    | st.decimals(allow_nan=False, allow_infinity=False, places=6)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ANY_TEXT, inner, max_size=2), max_leaves=6
)


@given(CONNECTORS, st.text(min_size=1), st.from_regex(r"[^/]+", fullmatch=True))
def test_an_order_key_and_a_job_order_id_come_apart_as_they_were_made(name: str, number: str, line: str) -> None:
    key = order_key(name, number)
    assert (connector_of(key), order_number(key)) == (name, number)
    assert order_key_of_job(job_order_id(key, line)) == key


@pytest.mark.parametrize("text", ["", "WO-7", "crm:1", "crm:1/", "/L1", "1/L1"])
def test_what_is_no_job_order_id_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a job order id of the bus"):
        order_key_of_job(text)


@given(st.integers(0, 10**17 - 1), st.integers(0, 10**17 - 1))
def test_revisions_sort_as_text_in_the_order_of_their_stamps(first: int, second: int) -> None:
    one, other = revision(first, "a"), revision(second, "b")
    assert revision_time_us(one) == first
    assert first == second or (one < other) == (first < second)


@given(VALUES)
def test_equal_contents_have_one_hash_whatever_the_order_of_their_keys(value: object) -> None:
    def turned(each: object) -> object:
        if isinstance(each, dict):
            return {name: turned(each[name]) for name in reversed(list(each))}
        return [turned(inner) for inner in each] if isinstance(each, list) else each

    assert content_hash(value) == content_hash(turned(value))  # type: ignore[arg-type]


@given(VALUES, VALUES)
def test_different_contents_have_different_hashes(one: object, other: object) -> None:
    assert (content_hash(one) == content_hash(other)) == (to_json(one) == to_json(other))  # type: ignore[arg-type]


def test_ids_of_events_say_where_they_come_from() -> None:
    assert event_id("crm", "crm:1", "r1") == "crm/crm:1/r1"
    assert (
        derived_event_id("crm/crm:1/r1", "pipeline/JobOrder/crm:1/L1", "d")
        == "crm/crm:1/r1/pipeline/JobOrder/crm:1/L1/d"
    )


@given(st.text(), st.from_regex(r"[^|]+", fullmatch=True), st.integers(0, 2**63))
def test_a_parked_records_id_comes_apart_as_it_was_made(key: str, topic: str, offset: int) -> None:
    made = ParkedKey(key, topic, offset)
    assert ParkedKey.parse(str(made)) == made


@pytest.mark.parametrize("text", ["", "a|b", "a|b|c"])
def test_what_is_no_parked_records_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ParkedKey.parse(text)


@given(VALUES)
def test_a_document_survives_json_exactly_and_is_always_utf_8(value: object) -> None:
    assert from_json(to_json(value).encode()) == value  # type: ignore[arg-type]


def test_fractions_stay_exact_and_keys_have_one_order() -> None:
    assert to_json({"b": Decimal("0.10"), "a": [1, None, "ä"]}) == '{"a":[1,null,"ä"],"b":0.10}'
    assert from_json('{"x": 0.1}') == {"x": Decimal("0.1")}
    assert repr(from_json("12345678901234567.890123")) == "Decimal('12345678901234567.890123')"


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", b"\xff", "1 2"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity"])
def test_numbers_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)
