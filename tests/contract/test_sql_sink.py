"""What an SQL sink makes of a real PostgreSQL: each row once, the newest version, and nothing that people own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from decimal import Decimal

import pytest

from connectors.contract import Rejection, Sink
from connectors.errors import (
    AuthError,
    ConfigError,
    DataError,
    FarError,
    Throttled,
    TransientError,
    UnknownOutcome,
)
from connectors.sql import SqlConfig, connector
from connectors.sql.postgres import PASSWORD, USER, PostgresServer
from schemas.document import Document, Value
from tests.contract.sql_kit import VARIABLE, CutAtCommit, Database, running

pytestmark = pytest.mark.needs("pg_ctlcluster")

JOBS = """
create table jobs (
    id bigserial primary key, bus_id text unique not null, bus_version bigint,
    item text not null check (item <> 'bad'), quantity numeric(10, 2), due date,
    planner text not null default 'nobody', seen timestamptz
)
"""
JOB = {"document": "Job", "table": "jobs", "key": "bus_id", "version": "bus_version"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with running(tmp_path_factory.mktemp("postgres")) as found:
        yield found


@pytest.fixture
def plant(server: PostgresServer) -> Database:
    database = Database(server)
    database.run(JOBS)
    return database


def job(name: str, version: int, **fields: Value) -> Document:
    return Document("Job", name, str(version), {"item": "P-1", **fields})


@contextmanager
def opened(config: SqlConfig) -> Iterator[Sink]:
    assert connector.sink is not None
    with closing(connector.sink(config)) as sink:
        sink.open()
        yield sink


def write(plant: Database, *documents: Document, **changes: object) -> Sequence[Rejection]:
    with opened(plant.config(write=[JOB], **changes)) as sink:
        return sink.write(documents)


def rows(plant: Database) -> list[tuple[object, ...]]:
    return plant.run("select bus_id, bus_version, item from jobs order by bus_id")


def test_a_row_is_made_and_then_changed(plant: Database) -> None:
    assert (
        write(plant, job("a", 1, quantity=Decimal("2.50"), due="2026-05-01", seen="2026-05-01T08:00:00+02:00")) == []
    )
    assert write(plant, job("a", 2, item="P-2")) == []
    assert rows(plant) == [("a", 2, "P-2")]
    ((quantity, due, seen),) = plant.run("select quantity, due::text, seen at time zone 'UTC' from jobs")
    assert (quantity, due, str(seen)) == (Decimal("2.50"), "2026-05-01", "2026-05-01 06:00:00")


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_that_is_not_newer_changes_nothing(plant: Database, version: int) -> None:
    write(plant, job("a", 2))
    before = plant.run("select xmin, * from jobs")
    assert write(plant, job("a", version, item="older")) == []
    assert plant.run("select xmin, * from jobs") == before


def test_what_people_own_stays_also_where_it_must_be_filled(plant: Database) -> None:
    plant.run("insert into jobs (bus_id, item, planner) values ('a', 'P-0', 'Ada')")
    plant.run("alter table jobs alter planner drop default")
    assert write(plant, job("a", 1)) == []
    assert plant.run("select item, planner from jobs") == [("P-1", "Ada")]


def test_a_row_that_people_made_may_have_a_key_that_the_database_makes(plant: Database) -> None:
    made = "bus_id text generated always as ('shop:' || id::text) stored unique"
    plant.run(f"create table sold (id int primary key, {made}, bus_version bigint, state text)")
    plant.run("insert into sold (id) values (7)")
    with opened(plant.config(write=[{**JOB, "document": "Sold", "table": "sold"}])) as sink:
        assert sink.write([Document("Sold", "shop:7", "1", {"state": "running"})]) == []
    assert plant.run("select * from sold") == [(7, "shop:7", 1, "running")]


def test_of_several_versions_in_one_batch_the_newest_stays(plant: Database) -> None:
    write(plant, job("a", 2, item="P-2"), job("a", 3, item="P-3"), job("a", 1, item="P-1"))
    assert rows(plant) == [("a", 3, "P-3")]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"item": "bad"}, "violates check constraint"),
        ({"item": None}, "violates not-null constraint"),
        ({"quantity": Decimal("1.005")}, "2 digits after the point"),
        ({"quantity": Decimal("123456789.5")}, "numeric field overflow"),
        ({"due": "tomorrow"}, "due: 'tomorrow' is no value"),
        ({"seen": "2026-05-01T08:00:00"}, "no offset from UTC"),
        ({"item": "half \ud83d"}, "surrogates not allowed"),
        ({"item": "null \x00"}, "NUL"),
        ({"colour": "red"}, "jobs has no column colour"),
    ],
)
def test_a_row_that_can_never_be_is_refused_and_the_others_are_written(
    plant: Database, fields: dict[str, Value], says: str
) -> None:
    (refused,) = write(plant, job("a", 1), job("b", 1, **fields), job("c", 1))
    assert refused.index == 1
    assert isinstance(refused.error, DataError)
    assert says in str(refused.error)
    assert [name for name, *_ in rows(plant)] == ["a", "c"]


def test_a_refusal_does_not_show_the_row(plant: Database) -> None:
    (refused,) = write(plant, job("a", 1, item="bad", planner="Ada Lovelace"))
    assert "Ada" not in str(refused.error)


def test_a_check_that_waits_for_the_commit_refuses_its_row_alone(plant: Database) -> None:
    plant.run("create table items (item text primary key)")
    plant.run("insert into items values ('P-1')")
    plant.run("alter table jobs add foreign key (item) references items deferrable initially deferred")
    (refused,) = write(plant, job("a", 1), job("b", 1, item="P-404"))
    assert (refused.index, [name for name, *_ in rows(plant)]) == (1, ["a"])


def test_a_known_row_that_is_gone_is_not_made_again(plant: Database) -> None:
    write(plant, job("a", 1))
    assert write(plant, job("a", 2, _known=True)) == []
    plant.run("delete from jobs")
    (refused,) = write(plant, job("a", 3, _known=True))
    assert isinstance(refused.error, DataError)
    assert (refused.error.code, rows(plant)) == ("gone", [])


def test_writers_at_once_make_one_row_of_the_newest_version(plant: Database) -> None:
    config = plant.config(write=[JOB])
    start = threading.Barrier(6)

    def run(writer: int) -> None:
        with opened(config) as sink:
            start.wait()
            for round_ in range(20):
                assert (
                    sink.write([job(f"r{round_}", 1 + (writer + round_) % 6, item=f"P-{(writer + round_) % 6}")])
                    == []
                )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    assert {(version, item) for _, version, item in rows(plant)} == {(6, "P-5")}
    assert len(rows(plant)) == 20


def test_a_batch_that_fails_leaves_nothing(plant: Database) -> None:
    raises(plant, "40001", "new.bus_id = 'b'")
    with pytest.raises(TransientError):
        write(plant, job("a", 1), job("b", 1))
    assert rows(plant) == []


def raises(plant: Database, state: str, where: str = "true") -> None:
    """A trigger of the application that ends with this error."""
    plant.run(
        "create function refuse() returns trigger language plpgsql as $$ begin "
        f"if {where} then raise exception 'the plant says no' using errcode = '{state}'; end if; "
        "return new; end $$"
    )
    plant.run("create trigger refuse before insert or update on jobs for each row execute function refuse()")


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("40P01", TransientError),
        ("40001", TransientError),
        ("55P03", TransientError),
        ("57P01", TransientError),
        ("57014", TransientError),
        ("53100", TransientError),
        ("53300", Throttled),
        ("25006", TransientError),
        ("58030", TransientError),
        ("XX000", TransientError),
        ("42P01", ConfigError),
        ("42703", ConfigError),
        ("0A000", ConfigError),
        ("42501", AuthError),
        ("28P01", AuthError),
    ],
)
def test_an_error_that_is_not_the_rows_stops_the_batch(plant: Database, state: str, meaning: type[FarError]) -> None:
    raises(plant, state)
    with pytest.raises(meaning, match="the plant says no") as met:
        write(plant, job("a", 1))
    assert type(met.value) is meaning
    assert state in str(met.value)


@pytest.mark.parametrize("state", ["23505", "23503", "22001", "P0001", "44000", "54000"])
def test_an_error_that_is_the_rows_refuses_it(plant: Database, state: str) -> None:
    raises(plant, state)
    (refused,) = write(plant, job("a", 1))
    assert isinstance(refused.error, DataError)


def test_a_locked_row_is_waited_for_no_longer_than_was_said(plant: Database) -> None:
    write(plant, job("a", 1))
    with plant.session(autocommit=False) as person:
        person.execute("update jobs set planner = 'Ada'")
        with pytest.raises(TransientError, match="55P03"):
            write(plant, job("a", 2), timeout_s=1)
    assert write(plant, job("a", 2)) == []


def test_a_commit_without_an_answer_is_unknown_and_may_be_repeated(plant: Database) -> None:
    network = CutAtCommit(plant.port)
    with (
        closing(network),
        pytest.raises(UnknownOutcome, match="nobody knows"),
        opened(
            plant.config(write=[JOB], url=f"postgresql+psycopg://{USER}@127.0.0.1:{network.port}/{plant.name}")
        ) as sink,
    ):
        network.armed = True
        sink.write([job("a", 1)])
    assert network.cuts == 1
    assert write(plant, job("a", 1)) == []
    assert rows(plant) == [("a", 1, "P-1")]


def test_a_server_without_a_free_connection_throttles(plant: Database) -> None:
    plant.run(f"create role few login password '{PASSWORD}'")
    plant.run(f"alter database {plant.name} connection limit 0")
    with pytest.raises(TransientError, match="too many connections"):
        write(plant, job("a", 1), url=f"postgresql+psycopg://few@127.0.0.1:{plant.port}/{plant.name}")


def test_a_right_that_is_missing_is_named(plant: Database) -> None:
    plant.run(f"create role reader{plant.name} login password '{PASSWORD}'")
    plant.run(f"grant select on jobs to reader{plant.name}")
    with pytest.raises(AuthError, match="permission denied"):
        write(plant, job("a", 1), url=f"postgresql+psycopg://reader{plant.name}@127.0.0.1:{plant.port}/{plant.name}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"table": "job"}, "there is no table or view job. Nearest: jobs."),
        ({"key": "item"}, "item is not unique by itself"),
        ({"version": "item"}, "Make it a bigint"),
        ({"version": "version"}, "Nearest: bus_version"),
    ],
)
def test_a_table_that_cannot_be_written_safely_is_refused(plant: Database, change: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says), opened(plant.config(write=[{**JOB, **change}])):
        pass


def test_what_is_written_follows_from_the_columns(plant: Database) -> None:
    plant.run("alter table jobs add photo bytea, add double numeric generated always as (quantity * 2) stored")
    (found,) = connector.documents(plant.config(write=[JOB]))
    fields = {field.name: field for field in found.fields}
    assert list(fields) == ["id", "item", "quantity", "due", "planner", "seen", "double", "_known"]
    assert [name for name, field in fields.items() if field.required] == ["item"]
    assert fields["double"].writable is False
    assert VARIABLE not in str(found)
