"""A plant's real PostgreSQL under the conformance suite: orders that people change, jobs that the bus writes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from connectors.sql import connector
from connectors.sql.postgres import PASSWORD, USER, PostgresServer
from connectors.sql.troubles import TROUBLES
from connectors.sql.wire import Wire
from connectors.testing import kept_port
from connectors.testing.abilities import Misconfiguration, Trouble
from connectors.testing.bench import Facts, Held
from schemas.document import Document, Fields, Value

BUS_PASSWORD = "the bus own password"  # noqa: S105 - of a server on loopback that is worth nothing
LONGEST = 200
TABLES = f"""
create role bus login password '{BUS_PASSWORD}';
create table orders (id bigserial primary key, item varchar({LONGEST}), due date, wanted_at timestamptz);
create table outbox (n bigserial primary key, order_id bigint not null, tx xid8 default pg_current_xact_id());
create function tell() returns trigger language plpgsql as $$
begin insert into outbox (order_id) values (coalesce(new.id, old.id)); return null; end $$;
create trigger tell after insert or update or delete on orders for each row execute function tell();
create table jobs (bus_id text primary key, bus_version bigint, item varchar({LONGEST}), due date, planner text);
create table trouble (state text not null);
create function refuse() returns trigger language plpgsql as $$
declare found text := (select state from trouble limit 1);
begin if found is not null then raise exception 'the plant says no' using errcode = found; end if; return new; end $$;
create trigger refuse before insert or update on jobs for each row execute function refuse();
grant select on orders, outbox to bus; grant select, insert, update on jobs to bus; grant select on trouble to bus;
"""  # noqa: S608 - all of it is ours
HEALTHY = f"""
do $$ begin
if exists (select from information_schema.columns where table_name = 'outbox' and column_name = 'number') then
alter table outbox rename column number to n; end if; end $$;
grant select on orders to bus; delete from trouble; alter role bus login connection limit -1 password '{BUS_PASSWORD}'
"""  # noqa: S608 - all of it is ours
READ = {
    "document": "Order",
    "table": "orders",
    "key": "id",
    "outbox": {"table": "outbox", "id": "n", "key": "order_id", "transaction": "tx"},
}
WRITE = {"document": "Job", "table": "jobs", "key": "bus_id", "version": "bus_version"}
FACTS = Facts(
    text_field="item",
    date_field="due",
    instant_field="wanted_at",
    longest_text=LONGEST,
    page_size=100,
    sink_text_field="item",
    sink_date_field="due",
    batch_size=None,
    quiet_s=0.15,
    call_timeout_s=4.0,
    hurry={"timeout_s": 1},
)


class SqlBench:
    """One database of one server, reached through a wire that can break."""

    connector = connector
    facts = FACTS
    troubles = TROUBLES
    misconfigurations = (
        Misconfiguration({"read": [{**READ, "table": "order"}]}, "read.Order"),
        Misconfiguration({"read": [{**READ, "key": "number"}]}, "read.Order.key"),
        Misconfiguration({"write": [{**WRITE, "version": "item"}]}, "write.Job.version", "open sink"),
        Misconfiguration({"write": [{**WRITE, "key": "planner"}]}, "write.Job.key", "open sink"),
    )

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = PostgresServer(folder / "postgres")
        self._wire: Wire | None = None
        self._session: psycopg.Connection | None = None

    def start(self) -> None:
        """See `Bench.start`."""
        self._server.start()
        self._session = psycopg.connect(self._address, autocommit=True, prepare_threshold=None)
        self._wire = Wire(kept_port(self._folder, "wire"), self._server.port)
        (self._folder / "password").write_text(BUS_PASSWORD)
        if not self._run("select 1 from pg_roles where rolname = 'bus'"):
            self._run(TABLES)

    def stop(self) -> None:
        """See `Bench.stop`."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        if self._session is not None:
            self._session.close()
            self._session = None
        self._server.stop("immediate")

    def settings(self, **changes: object) -> Fields:
        """See `Bench.settings`."""
        values: dict[str, Any] = {
            "url": f"postgresql+psycopg://bus@127.0.0.1:{self._network.port}/postgres",
            "password": f"${{file:{self._folder}/password}}",
            "read": [READ],
            "write": [WRITE],
            "poll_interval_s": "0.05",
            "timeout_s": 4,
            **changes,
        }
        return {name: value for name, value in values.items() if value is not None}

    def secrets(self) -> Collection[str]:
        """See `Bench.secrets`."""
        return {BUS_PASSWORD, PASSWORD}

    # ── people ──

    def make(self, values: Fields) -> str:
        """See `SourceBench.make`."""
        names = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        with _as_people():
            ((made,),) = self._run(f"insert into orders ({names}) values ({marks}) returning id", *values.values())  # noqa: S608 - the suite names the fields
        return str(made)

    def change(self, document_id: str, values: Fields) -> None:
        """See `SourceBench.change`."""
        marks = ", ".join(f"{name} = %s" for name in values)
        with _as_people():
            self._run(f"update orders set {marks} where id = %s", *values.values(), document_id)  # noqa: S608 - likewise

    def delete(self, document_id: str) -> None:
        """See `SourceBench.delete`."""
        self._run("delete from orders where id = %s", document_id)

    # ── jobs of the bus ──

    def document(self, number: int, version: int, values: Fields) -> Document:
        """See `SinkBench.document`."""
        return Document("Job", f"crm:{number:08d}/L1", str(version), {"item": "P-1", "due": "2026-05-01", **values})

    def held(self, document_id: str) -> Sequence[Held]:
        """See `SinkBench.held`."""
        found = self._run("select bus_version, item, due::text from jobs where bus_id = %s", document_id)
        return [Held(version, {"item": item, "due": due}) for version, item, due in found]

    def unwritable(self, number: int) -> Document:
        """See `RefusingBench`: a text that is longer than its column."""
        return self.document(number, 1, {"item": "x" * (LONGEST + 1)})

    def swallow_answer(self) -> None:
        """See `SwallowingBench`."""
        self._network.lose_answer()

    def silence(self) -> None:
        """See `SilentBench`."""
        self._network.silence()

    def speak(self) -> None:
        """See `SilentBench`."""
        self._network.speak()

    # ── troubles ──

    def cause(self, trouble: Trouble) -> None:
        """See `TroubledBench.cause`."""
        for step in trouble.script:
            for act, text in step.items():
                ACTS[act](self, str(text))

    def mend(self) -> None:
        """See `TroubledBench.mend`."""
        self._run(HEALTHY)

    def run(self, sql: str) -> None:
        """An administrator's statement."""
        self._run(sql)

    @property
    def _network(self) -> Wire:
        if self._wire is None:
            raise RuntimeError("the database is not running")
        return self._wire

    @property
    def _address(self) -> str:
        return make_conninfo(
            host="127.0.0.1", port=self._server.port, user=USER, password=PASSWORD, dbname="postgres"
        )

    def _run(self, sql: str, *values: Value) -> list[tuple[Any, ...]]:
        """Committed, without the wire."""
        if self._session is None:
            raise RuntimeError("the database is not running")
        cursor = self._session.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def _as_people() -> Iterator[None]:
    """What the database does not take of a person."""
    try:
        yield
    except psycopg.DataError as error:
        raise ValueError(str(error)) from error


ACTS = {
    "raise": lambda bench, state: bench._run("insert into trouble values (%s)", state),
    "run": SqlBench.run,
}
