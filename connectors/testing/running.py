"""What every bench of a kit-built stand-in is made of: it runs, is configured, spoilt, and asked what it was told."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
from pydantic import SecretStr

from connectors.config import ConnectorConfig
from connectors.contract import Connector, Simulator, StandIn
from schemas.document import Fields, Value, from_json, to_json

PATIENCE_S = 30.0


class RunningStandIn:
    """The stand-in of one connector in one folder, and what its control endpoint (`control_routes`) offers.

    `usual` are settings that go over those the stand-in gives, as short times; None takes one away.
    """

    def __init__(self, connector: Connector, folder: Path, **usual: object) -> None:
        self._connector, self._folder, self._usual = connector, folder, usual
        self._simulator: Simulator | None = None
        self._stand_in: StandIn | None = None
        self._http: httpx.Client | None = None

    @property
    def stand_in(self) -> StandIn:
        """How it is reached. Raises RuntimeError before `start`."""
        if self._stand_in is None:
            raise RuntimeError(f"the stand-in of {self._connector.name} is not running")
        return self._stand_in

    @property
    def http(self) -> httpx.Client:
        """A client that trusts it, for raw calls."""
        if self._http is None:
            raise RuntimeError(f"the stand-in of {self._connector.name} is not running")
        return self._http

    def start(self) -> None:
        """See `Bench.start`."""
        if self._connector.simulator is None:
            raise RuntimeError(f"the connector {self._connector.name} has no stand-in")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._simulator = self._connector.simulator(self._folder)
        self._stand_in = self._simulator.start()
        trust = ssl.create_default_context(cafile=str(self._stand_in.ca_file))
        self._http = httpx.Client(verify=trust, timeout=PATIENCE_S, trust_env=False)

    def stop(self) -> None:
        """See `Bench.stop`."""
        if self._http is not None:
            self._http.close()
        if self._simulator is not None:
            self._simulator.stop()
        self._http = self._simulator = self._stand_in = None

    def settings(self, **changes: object) -> Fields:
        """See `Bench.settings`: each secret is in a file beside the stand-in and stands as a reference to it.

        So does a changed one that is given as SecretStr; a text stays what it is.
        """
        known = self._connector.config.model_fields
        values: dict[str, object] = {**self.stand_in.config, **self._usual}
        secrets = {
            name: SecretStr(str(values[name])) for name in secret_fields(self._connector.config) if name in values
        }
        values |= {**secrets, **changes}
        for name, value in values.items():
            if isinstance(value, SecretStr):
                file = self._folder / f"secret-{name}"
                file.write_text(value.get_secret_value())
                values[name] = f"${{file:{file}}}"
        given = {name: value for name, value in values.items() if value is not None}
        return _plain({name: value for name, value in given.items() if name in known or name in changes})

    def control(self, path: str, body: Value = None, method: str = "POST", **query: str) -> Fields:
        """One request to the control endpoint. Raises ValueError with its answer where it refuses."""
        content = None if body is None else to_json(body)
        answer = self.http.request(method, f"{self.stand_in.control}/{path}", content=content, params=query)
        found = from_json(answer.content) if answer.content else {}
        if answer.is_error or not isinstance(found, dict):
            raise ValueError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return found

    def fault(self, kind: str, times: int = 1, match: Fields | None = None, **arguments: Value) -> None:
        """Script one fault; see `connectors.testing.faults`."""
        self.script([{"kind": kind, "times": times, "match": match or {}, "arguments": arguments}])

    def script(self, faults: Sequence[Fields]) -> None:
        """Script several."""
        self.control("faults", list(faults))

    def mend(self) -> None:
        """Forget what is scripted and let go what is held."""
        self.control("faults", method="DELETE")

    def entries(self, kind: str) -> list[Fields]:
        """The ledger's entries of one kind."""
        found = self.control("ledger", method="GET", kind=kind).get("entries")
        return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []

    def exchange(self, method: str, url: str, body: Value, headers: Mapping[str, str]) -> tuple[int, object]:
        """One raw call; the status and the JSON that came, None where none did."""
        content = None if body is None else to_json(body)
        answer = self.http.request(method, url, content=content, headers=dict(headers))
        try:
            return answer.status_code, from_json(answer.content)
        except ValueError:
            return answer.status_code, None


def secret_fields(config: type[ConnectorConfig]) -> Iterator[str]:
    """The names of the settings that are secrets."""
    for name, field in config.model_fields.items():
        if SecretStr in _types_in(field.annotation):
            yield name


def _types_in(annotation: object) -> Iterator[object]:
    yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _types_in(inner)


def _plain(values: Mapping[str, object]) -> Fields:
    """The values as JSON, as a configuration file would hold them."""
    made = from_json(to_json(_value(dict(values))))
    if not isinstance(made, dict):
        raise TypeError("settings are an object")
    return made


def _value(value: object) -> Value:
    if isinstance(value, Mapping):
        return {str(name): _value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_value(inner) for inner in value]
    if isinstance(value, float):
        return from_json(repr(value))
    return str(value) if isinstance(value, Path) else value  # type: ignore[return-value]  # to_json refuses others
