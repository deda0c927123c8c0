"""What an SQL source reads of a real PostgreSQL, and what it never loses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.errors import AuthError, ConfigError, PositionRefused, TransientError
from connectors.sql import SqlConfig, connector
from connectors.sql.postgres import PASSWORD, PostgresServer
from schemas.document import Kind
from schemas.identity import revision_time_us
from tests.contract.sql_kit import Database, batches, ids, opened, read, running

pytestmark = pytest.mark.needs("pg_ctlcluster")

ORDERS = "create table orders (id int primary key, item text, changed_at timestamptz)"
LINES = "create table lines (order_id int, line int, item text, changed_at timestamptz, primary key (order_id, line))"
ORDER = {"document": "Order", "table": "orders", "key": "id", "changed": "changed_at"}
WITH_LINES = {
    **ORDER,
    "lists": {"lines": {"table": "lines", "parent": "order_id", "key": "line", "changed": "changed_at"}},
}
OUTBOX = """
create table outbox (n bigserial primary key, order_id int, tx xid8 not null default pg_current_xact_id());
create function told() returns trigger language plpgsql as $$
begin insert into outbox (order_id) values (coalesce(new.id, old.id)); return null; end $$;
create trigger told after insert or update or delete on orders for each row execute function told()
"""
TOLD = {
    "document": "Order",
    "table": "orders",
    "key": "id",
    "outbox": {"table": "outbox", "id": "n", "key": "order_id"},
}
SETTLED = {**TOLD, "outbox": {"table": "outbox", "id": "n", "key": "order_id", "transaction": "tx"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with running(tmp_path_factory.mktemp("postgres")) as found:
        yield found


@pytest.fixture
def plant(server: PostgresServer) -> Database:
    database = Database(server)
    database.run(ORDERS)
    database.run(LINES)
    return database


def place(plant: Database, number: int, item: str = "P-1", changed: str = "clock_timestamp()") -> None:
    plant.run(f"insert into orders values (%s, %s, {changed})", number, item)


def test_the_types_of_fields_follow_from_the_columns(plant: Database) -> None:
    plant.run("create type priority as enum ('low', 'high')")
    plant.run("create domain code as text check (value <> '')")
    plant.run(
        "create table things (id uuid primary key, n bigint not null, q numeric(12,3), f double precision, "
        "b boolean, d date, at timestamptz, local timestamp, t time, p priority, c code, changed int)"
    )
    (found,) = connector.documents(
        plant.config(read=[{"document": "Thing", "table": "things", "key": "id", "changed": "changed"}])
    )
    assert {field.name: field.kind for field in found.fields} == {
        "id": Kind.TEXT,
        "n": Kind.INTEGER,
        "q": Kind.DECIMAL,
        "f": Kind.DECIMAL,
        "b": Kind.BOOLEAN,
        "d": Kind.DATE,
        "at": Kind.INSTANT,
        "local": Kind.INSTANT,
        "t": Kind.TEXT,
        "p": Kind.TEXT,
        "c": Kind.TEXT,
        "changed": Kind.INTEGER,
    }
    by_name = {field.name: field for field in found.fields}
    assert (by_name["q"].precision, by_name["q"].scale) == (12, 3)
    assert by_name["p"].symbols == ("low", "high")
    assert [name for name, field in by_name.items() if field.required] == ["id", "n"]


def test_values_arrive_exactly(plant: Database) -> None:
    plant.run(
        "create table things (id int, q numeric, f double precision, d date, at timestamptz, t time, changed int)"
    )
    plant.run(
        "insert into things values (1, 12345678901234567.123456789, 0.1, '2026-05-01', "
        "'2026-05-01 08:00+02', '08:15', 1)"
    )
    with opened(
        plant.config(read=[{"document": "T", "table": "things", "key": "id", "changed": "changed"}])
    ) as source:
        (document,) = read(source)
    assert document.fields == {
        "id": 1,
        "q": Decimal("12345678901234567.123456789"),
        "f": Decimal("0.1"),
        "d": "2026-05-01",
        "at": "2026-05-01T06:00:00+00:00",
        "t": "08:15:00",
        "changed": 1,
    }


def test_a_column_of_bytes_is_refused_until_it_is_left_out(plant: Database) -> None:
    plant.run("alter table orders add photo bytea")
    with pytest.raises(ConfigError, match=r"orders.photo.*leave_out"):
        connector.documents(plant.config(read=[ORDER]))
    (found,) = connector.documents(plant.config(read=[{**ORDER, "leave_out": ["photo"]}]))
    assert "photo" not in [field.name for field in found.fields]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_every_row_is_read_once_also_where_all_have_one_stamp(plant: Database, count: int) -> None:
    plant.run("insert into orders select n, 'P', '2026-05-01' from generate_series(1, %s) n", count)
    with opened(plant.config(read=[ORDER])) as source:
        found = batches(source)
    assert sorted(int(each.id) for batch in found for each in batch.documents) == list(range(1, count + 1))
    assert [batch.complete for batch in found][-1] is True
    assert count < 100 or found[0].complete is False


def test_a_restart_from_every_position_loses_nothing(plant: Database) -> None:
    plant.run("insert into orders select n, 'P', now() - n * interval '1 hour' from generate_series(1, 350) n")
    with opened(plant.config(read=[ORDER])) as source:
        found = batches(source)
    for at, batch in enumerate(found):
        before = {each.id for earlier in found[: at + 1] for each in earlier.documents}
        with opened(plant.config(read=[ORDER]), batch.position) as again:
            assert before | set(ids(read(again))) == {str(n) for n in range(1, 351)}


def test_a_change_is_read_and_an_unchanged_row_is_not_read_again(plant: Database) -> None:
    place(plant, 1)
    place(plant, 2)
    with opened(plant.config(read=[ORDER])) as source:
        first = read(source)
        plant.run("update orders set item = 'P-9', changed_at = clock_timestamp() where id = 1")
        (changed,) = read(source)
    assert ids(first) == ["1", "2"]
    assert changed.fields["item"] == "P-9"
    assert changed.revision > first[0].revision


def test_a_second_change_with_the_same_stamp_is_read(plant: Database) -> None:
    place(plant, 1, "first", "'2026-05-01'")
    with opened(plant.config(read=[ORDER])) as source:
        read(source)
        plant.run("update orders set item = 'second'")
        assert [each.fields["item"] for each in read(source)] == ["second"]


def test_a_transaction_that_is_committed_late_with_an_older_stamp_is_read(plant: Database) -> None:
    with opened(plant.config(read=[ORDER])) as source, plant.session(autocommit=False) as slow:
        slow.execute("insert into orders values (1, 'late', now())")
        place(plant, 2)
        assert ids(read(source)) == ["2"]
        slow.commit()
        assert ids(read(source)) == ["1"]


def test_a_number_that_is_committed_late_is_read(plant: Database) -> None:
    plant.run("create table jobs (id int primary key, version bigserial)")
    config = plant.config(read=[{"document": "Job", "table": "jobs", "key": "id", "changed": "version"}])
    with opened(config) as source, plant.session(autocommit=False) as slow:
        slow.execute("insert into jobs values (1)")
        plant.run("insert into jobs values (2)")
        assert ids(read(source)) == ["2"]
        slow.commit()
        assert ids(read(source)) == ["1"]
        assert read(source) == []


def test_rows_without_a_stamp_are_read_and_so_are_their_changes(plant: Database) -> None:
    place(plant, 1, changed="null")
    with opened(plant.config(read=[ORDER])) as source:
        assert ids(read(source)) == ["1"]
        place(plant, 2, changed="null")
        assert ids(read(source)) == ["2"]
        plant.run("update orders set item = 'other' where id = 1")
        assert [(each.id, each.fields["item"]) for each in read(source)] == [("1", "other")]


def test_the_first_filled_column_of_a_list_is_the_stamp(plant: Database) -> None:
    plant.run("alter table orders add created_at timestamptz")
    plant.run("insert into orders values (1, 'P', null, '2026-05-01 00:00Z')")
    with opened(plant.config(read=[{**ORDER, "changed": ["changed_at", "created_at"]}])) as source:
        (document,) = read(source)
    assert revision_time_us(document.revision) == 1_777_593_600_000_000


def test_a_stamp_from_the_future_hides_nothing_that_is_changed_before_it_comes_true(plant: Database) -> None:
    place(plant, 1, changed="now() + interval '100 years'")
    with opened(plant.config(read=[ORDER])) as source:
        assert ids(read(source)) == ["1"]
        place(plant, 2)
        assert ids(read(source)) == ["2"]


def test_times_without_a_zone_are_those_of_the_setting(plant: Database) -> None:
    plant.run("alter table orders alter changed_at type timestamp")
    place(plant, 1, changed="'2026-07-01 12:00'")
    with opened(plant.config(read=[ORDER], timezone="Europe/Berlin")) as source:
        (document,) = read(source)
    assert document.fields["changed_at"] == "2026-07-01T10:00:00+00:00"


def test_the_hour_that_comes_twice_in_autumn_is_read_twice(plant: Database) -> None:
    plant.run("alter table orders alter changed_at type timestamp")
    place(plant, 1, changed="'2025-10-26 02:59:59'")
    with opened(plant.config(read=[ORDER], timezone="Europe/Berlin", overlap_s=1)) as source:
        assert ids(read(source)) == ["1"]
        place(plant, 2, changed="'2025-10-26 02:00:01'")
        assert ids(read(source)) == ["2"]


def test_a_database_that_is_only_written_says_that_its_backfill_is_done(plant: Database) -> None:
    with opened(plant.config()) as source:
        (batch,) = batches(source)
    assert (batch.documents, batch.complete) == ([], True)


def test_a_deleted_flag_makes_a_deleted_document(plant: Database) -> None:
    plant.run("alter table orders add gone_at timestamptz")
    place_two = "insert into orders values (1, 'P', now(), null), (2, 'P', now(), now())"
    plant.run(place_two)
    with opened(plant.config(read=[{**ORDER, "deleted": "gone_at"}])) as source:
        assert {each.id: each.deleted for each in read(source)} == {"1": False, "2": True}


def test_a_record_comes_with_its_lists_and_a_changed_line_is_a_change_of_it(plant: Database) -> None:
    place(plant, 1)
    plant.run("insert into lines values (1, 20, 'B', now()), (1, 10, 'A', now())")
    with opened(plant.config(read=[WITH_LINES])) as source:
        (first,) = read(source)
        plant.run("update lines set item = 'C', changed_at = clock_timestamp() where line = 10")
        (second,) = read(source)
    lines = second.fields["lines"]
    assert isinstance(lines, list)
    assert [(each["line"], each["item"]) for each in lines] == [(10, "C"), (20, "B")]
    assert second.revision > first.revision


def test_what_no_document_can_hold_is_parked_and_the_others_go_on(plant: Database) -> None:
    plant.run("alter table orders add due date, add weight numeric")
    plant.run("insert into orders values (1, 'P', now(), 'infinity', 1), (2, 'P', now(), null, 'NaN')")
    plant.run("insert into orders values (3, 'P', now(), '2026-05-01', 1), (4, 'P', 'infinity', null, 1)")
    with opened(plant.config(read=[ORDER])) as source:
        problems = {each.id: each.problem for each in read(source)}
    assert problems.keys() == {"1", "2", "3", "4"}
    assert {number for number, text in problems.items() if not text} == {"3"}


@pytest.mark.parametrize("read_by", [TOLD, SETTLED], ids=["by overlap", "by open transactions"])
def test_an_outbox_tells_of_changes_and_deletions(plant: Database, read_by: dict[str, object]) -> None:
    plant.run(OUTBOX)
    place(plant, 1)
    place(plant, 2)
    with opened(plant.config(read=[read_by])) as source:
        assert set(ids(read(source))) == {"1", "2"}
        plant.run("update orders set item = 'P-9' where id = 1")
        plant.run("delete from orders where id = 2")
        changed, gone = read(source)
    assert (changed.id, changed.fields["item"], changed.deleted) == ("1", "P-9", False)
    assert (gone.id, gone.fields, gone.deleted) == ("2", {"id": 2}, True)
    assert gone.revision > changed.revision


@pytest.mark.parametrize("read_by", [TOLD, SETTLED], ids=["by overlap", "by open transactions"])
def test_a_gap_of_the_outbox_that_is_filled_late_is_read(plant: Database, read_by: dict[str, object]) -> None:
    plant.run(OUTBOX)
    with opened(plant.config(read=[read_by])) as source, plant.session(autocommit=False) as slow:
        read(source)
        slow.execute("insert into orders values (1, 'late', now())")
        place(plant, 2)
        early = ids(read(source))
        slow.commit()
        assert sorted(early + ids(read(source))) == ["1", "2"]


def test_without_an_overlap_an_outbox_passes_nothing_that_an_open_transaction_may_come_before(
    plant: Database,
) -> None:
    plant.run(OUTBOX)
    config = plant.config(read=[SETTLED], overlap_numbers=0, overlap_s=0)
    with opened(config) as source, plant.session(autocommit=False) as slow:
        batches(source)
        slow.execute("insert into orders values (1, 'late', now())")
        place(plant, 2)
        assert read(source) == []
        slow.commit()
        found = batches(source)
    assert [each.id for batch in found for each in batch.documents] == ["1", "2"]
    with opened(config, found[-1].position) as again:
        assert read(again) == []


def test_a_change_between_the_start_and_the_end_of_the_backfill_is_read(plant: Database) -> None:
    plant.run(OUTBOX)
    plant.run("insert into orders select n, 'P', now() from generate_series(1, 150) n")
    with opened(plant.config(read=[SETTLED])) as source:
        first = source.poll(0.1)
        assert first is not None
        plant.run("update orders set item = 'changed' where id = 1")
        assert [each.id for each in read(source) if each.fields["item"] == "changed"] == ["1"]


def test_a_record_that_changes_during_the_backfill_ends_with_the_revision_of_its_notice(plant: Database) -> None:
    plant.run(OUTBOX)
    plant.run("insert into orders select n, 'P', now() from generate_series(1, 250) n")
    with opened(plant.config(read=[SETTLED])) as source:
        first = source.poll(0.1)
        assert first is not None
        plant.run("update orders set item = 'changed' where id = 250")
        whole = [each for each in read(source) if each.id == "250"]
    with opened(plant.config(read=[SETTLED]), first.position) as again:
        later = [each for each in read(again) if each.id == "250"]
    assert [each.fields["item"] for each in whole] == ["changed", "changed"]
    assert whole[0].revision < whole[1].revision
    assert later == whole


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"table": "order"}, "there is no table or view order. Nearest: orders."),
        ({"key": "ident"}, r"read.Order.key: orders has no column ident"),
        ({"changed": "changed"}, "Nearest: changed_at."),
        ({"changed": "item"}, "item cannot order rows. All its columns have to be times"),
        ({"deleted": "item"}, "orders.item is TEXT"),
        ({"leave_out": ["id"]}, "id is needed. Take it out of the list."),
        (
            {"lists": {"lines": {"table": "lines", "parent": "item", "key": "line"}}},
            "same types as the key of orders",
        ),
        ({"changed": None, "outbox": {"table": "lines", "id": "line", "key": "item"}}, "item cannot be compared"),
    ],
)
def test_a_configuration_that_does_not_fit_the_database_is_refused_with_a_remedy(
    plant: Database, change: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigError, match=says), opened(plant.config(read=[{**ORDER, **change}])):
        pass


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"url": "postgresql://me:secret@host/db"}, "a secret is never written down here"),
        ({"url": "the plant's database"}, "String should match"),
        ({"timezone": "Plant/One"}, "is no time zone"),
        ({"read": [{"document": "A", "table": "a", "key": "id"}]}, "needs either `changed` or `outbox`"),
        ({"read": [ORDER, ORDER]}, "give each document a name of its own"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as refused:
        SqlConfig.model_validate({"url": "postgresql://host/db", **change})
    assert "secret@" not in str(refused.value)


def test_errors_of_the_connection_are_told_apart_and_never_show_the_password(
    plant: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG", "a wrong password")
    nowhere = {"url": "postgresql+psycopg://lineshaft@127.0.0.1:1/mes"}
    no_driver = {"url": "postgresql+pg8000://lineshaft@127.0.0.1:1/mes"}
    no_dialect = {"url": "dbase://127.0.0.1:1/mes"}
    cases = [
        ({"password": "${env:WRONG}"}, AuthError),
        ({"url": f"postgresql+psycopg://lineshaft@127.0.0.1:{plant.port}/nowhere"}, ConfigError),
        (nowhere, TransientError),
        (no_driver, ConfigError),
        (no_dialect, ConfigError),
    ]
    for change, meaning in cases:
        config = plant.config(read=[ORDER], **change)
        with pytest.raises(meaning) as met, opened(config):
            pass
        assert PASSWORD not in f"{met.value!r}{config!r}"
        assert "a wrong password" not in f"{met.value!r}{config!r}"


@pytest.mark.parametrize(
    "position", [{"feed": 1}, {"feeds": {"Order": {"since": "yesterday", "after": None, "done": True}}}]
)
def test_a_position_that_is_none_of_ours_is_refused(plant: Database, position: dict[str, object]) -> None:
    with pytest.raises(PositionRefused), opened(plant.config(read=[ORDER]), position) as source:  # type: ignore[arg-type]
        source.poll(0.1)


def test_a_database_that_restarts_is_read_on(plant: Database, server: PostgresServer) -> None:
    place(plant, 1)
    with opened(plant.config(read=[ORDER])) as source:
        position = batches(source)[-1].position
        server.stop("immediate")
        with pytest.raises(TransientError):
            while True:
                source.poll(0.1)
    server.start()
    place(plant, 2)
    with opened(plant.config(read=[ORDER]), position) as again:
        assert "2" in ids(read(again))


def test_another_dialect_is_read_and_one_that_keeps_no_exact_numbers_says_so(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "mes.db") as people:
        people.execute("create table jobs (id integer primary key, item text, changed_at datetime, q numeric(8,2))")
        people.execute("insert into jobs values (1, 'P-1', '2026-05-01 08:00:00.000000', 1.5)")
    people.close()
    job = {"document": "Job", "table": "jobs", "key": "id", "changed": "changed_at"}
    url = f"sqlite:///{tmp_path}/mes.db"
    with pytest.raises(ConfigError, match=r"jobs\.q"):
        connector.documents(SqlConfig.model_validate({"url": url, "read": [job]}))
    with opened(SqlConfig.model_validate({"url": url, "read": [{**job, "leave_out": ["q"]}]})) as source:
        (document,) = read(source)
    assert document.fields == {"id": 1, "item": "P-1", "changed_at": "2026-05-01T08:00:00+00:00"}
    assert datetime.now(UTC) - timedelta(days=1) > datetime.fromisoformat(str(document.fields["changed_at"]))
