"""lineshaft.yaml: what it may say, and what is said about what it may not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from pydantic import Field

from connectors import registry
from connectors.config import ConnectorConfig, Secret
from connectors.contract import Connector
from connectors.errors import ConfigError
from deploy import kafka
from deploy.exits import UNREACHABLE, Refused
from deploy.project import Project, data_folder, find_folder, load_project
from deploy.project_problems import ProjectError
from deploy.project_schema import HttpPorts
from deploy.wiring import cluster_of


class LatheConfig(ConnectorConfig):
    """A connector of no system."""

    address: str = Field(description="Where the lathe is.")
    token: Secret = Field(description="Its token.")
    ca_file: Path | None = Field(None, description="Its authority.")
    speeds: tuple[int, ...] = Field((), description="Its speeds.")


def load(type_name: str) -> Connector:
    if type_name == "lathe":
        return Connector("lathe", LatheConfig, lambda config: ())
    if type_name == "broken":
        raise ImportError("no module named 'spindle'")
    raise ConfigError("type", f"no connector {type_name!r} is installed.", "Installed: lathe.")


@pytest.fixture(autouse=True)
def only_the_lathe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", load)
    monkeypatch.setattr(registry, "names", lambda: ["lathe"])
    monkeypatch.setenv("TOKEN", "s3cret")


def project(folder: Path, text: str) -> Project:
    (folder / "lineshaft.yaml").write_text(text)
    return load_project(folder)


def said(folder: Path, text: str) -> list[str]:
    with pytest.raises(ProjectError) as refused:
        project(folder, text)
    return str(refused.value).splitlines()


LATHE = "connectors: {shop: {type: lathe, address: here, token: '${env:TOKEN}'}}\n"


def test_a_file_that_says_the_least_gets_every_default(tmp_path: Path) -> None:
    found = project(tmp_path, "kafka: embedded\n")
    assert found == Project(
        folder=tmp_path,
        cluster=None,
        partitions=12,
        topic_prefix="",
        data=tmp_path / ".lineshaft",
        registry=None,
        connectors={},
        mappings=(),
        codes=(),
        routes=(),
        http=found.http,
    )
    assert found.http == HttpPorts(host="127.0.0.1", ingress=8650, views=8651, metrics=8660)
    assert found.kafka_folder == tmp_path / ".lineshaft" / "kafka"


def test_connectors_come_validated_by_their_own_configuration(tmp_path: Path) -> None:
    attached = project(tmp_path, LATHE).connectors["shop"]
    assert isinstance(attached.config, LatheConfig)
    assert (attached.name, attached.config.address) == ("shop", "here")
    assert attached.config.token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(attached)


def test_paths_are_sought_from_the_projects_folder(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file")
    text = (
        "data: state\nmappings: maps\nroutes: [r1.yaml, /etc/r2.yaml]\n"
        "connectors:\n  shop: {type: lathe, address: here, token: '${file:token}', ca_file: ca.pem}\n"
    )
    found = project(tmp_path, text)
    assert (found.data, found.mappings) == (tmp_path / "state", (tmp_path / "maps",))
    assert found.routes == (tmp_path / "r1.yaml", Path("/etc/r2.yaml"))
    config = found.connectors["shop"].config
    assert isinstance(config, LatheConfig)
    assert (config.token.get_secret_value(), config.ca_file) == ("from a file", tmp_path / "ca.pem")


def test_a_cluster_brings_its_security_settings_under_librdkafkas_names(tmp_path: Path) -> None:
    text = (
        "kafka:\n  bootstrap: broker:9093\n  security.protocol: SASL_SSL\n"
        "  sasl.mechanism: SCRAM-SHA-512\n  sasl.username: bus\n  sasl.password: ${env:TOKEN}\ntopic_prefix: east.\n"
    )
    cluster = cluster_of(project(tmp_path, text))
    assert (cluster.bootstrap, cluster.prefix) == ("broker:9093", "east.")
    assert cluster.settings == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "bus",
        "sasl.password": "s3cret",
    }


def test_an_embedded_kafka_that_does_not_run_is_named_with_the_command_that_starts_it(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="lineshaft kafka start") as refused:
        cluster_of(project(tmp_path, "kafka: embedded\n"))
    assert refused.value.code == UNREACHABLE


def test_a_running_embedded_kafka_gives_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = dataclasses.replace(kafka.status(tmp_path), state="running", bootstrap="127.0.0.1:1234")
    monkeypatch.setattr(kafka, "status", lambda folder: running)
    assert cluster_of(project(tmp_path, LATHE)).bootstrap == "127.0.0.1:1234"


@pytest.mark.parametrize(
    ("text", "place", "parts"),
    [
        ("partition: 3\n", "1:1: partition:", ["Nearest: partitions"]),
        ("conectors: {}\n", "1:1: conectors:", ["Nearest: connectors"]),
        ("http: {ingres: 1}\n", "1:8: http.ingres:", ["Nearest: ingress"]),
        ("http: {metrics: 70000}\n", "1:17: http.metrics:", ["65535", "First port"]),
        ("http: 8080\n", "1:7: http:", ["Write a table"]),
        ("kafka: {}\n", "1:1: kafka.bootstrap:", ["is missing", "Add `bootstrap: …`", "host:port"]),
        ("kafka: embeded\n", "1:8: kafka:", ["'embeded' is no Kafka", "`embedded`"]),
        ("kafka: {bootstrap: b:1, sasl.pasword: x}\n", "1:25: kafka.sasl.pasword:", ["Nearest: sasl.password"]),
        ("kafka: {bootstrap: b:1, sasl.password: x}\n", "1:40: kafka.sasl.password:", ["${env:NAME}"]),
        ("partitions: many\n", "1:13: partitions:", ["whole number"]),
        ("partitions: 0\n", "1:13: partitions:", ["greater than or equal to 1"]),
        ("topic_prefix: a b\n", "1:15: topic_prefix:", ["Stands before the name"]),
        ("registry: here\n", "1:11: registry:", ["https://registry.example"]),
        ("data: 5\n", "1:7: data:", ["is no path"]),
        ("connectors: [crm]\n", "1:13: connectors:", ["is no table"]),
        ("connectors: {Crm: {type: lathe}}\n", "1:14: connectors.Crm:", ["small letters"]),
        ("connectors:\n  crm: {address: x}\n", "2:8: connectors.crm.type:", ["Installed: lathe"]),
        ("connectors: {crm: {type: late}}\n", "1:26: connectors.crm.type:", ["'late'", "Installed: lathe"]),
        ("connectors: {crm: {type: broken}}\n", "1:26: connectors.crm.type:", ["cannot be imported", "spindle"]),
        ("connectors: {crm: {type: lathe, token: '${env:TOKEN}'}}\n", "1:19: connectors.crm.address:", ["Where the"]),
    ],
)
def test_one_mistake_is_named_with_its_place_and_a_remedy(
    text: str, place: str, parts: list[str], tmp_path: Path
) -> None:
    lines = said(tmp_path, text)
    assert len(lines) == 1
    assert lines[0].startswith(f"lineshaft.yaml:{place}")
    for part in parts:
        assert part in lines[0]


def test_a_mistake_in_a_connector_is_named_by_the_connectors_own_configuration(tmp_path: Path) -> None:
    text = (
        "connectors:\n"
        "  shop:\n"
        "    type: lathe\n"
        "    adress: here\n"
        "    address: 12\n"
        "    token: ${env:NOT_THERE}\n"
        "    speeds: [1, fast]\n"
    )
    lines = said(tmp_path, text)
    assert [line.split(": ")[0:2] for line in lines] == [
        ["lineshaft.yaml:4:5", "connectors.shop.adress"],
        ["lineshaft.yaml:5:14", "connectors.shop.address"],
        ["lineshaft.yaml:6:12", "connectors.shop.token"],
        ["lineshaft.yaml:7:17", "connectors.shop.speeds.1"],
    ]
    assert "Nearest: address" in lines[0]
    assert "Write it in quotes" in lines[1]
    assert "NOT_THERE is not set: export it" in lines[2]


def test_all_problems_of_the_whole_file_are_told_at_once(tmp_path: Path) -> None:
    lines = said(tmp_path, "partition: 3\nconnectors: {shop: {type: late}}\nhttp: {host: 5}\n")
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("kafka: [\n", "lineshaft.yaml:2:1: the YAML cannot be read"),
        ("kafka: embedded\nkafka: embedded\n", "lineshaft.yaml:2:1: 'kafka' stands here a second time"),
        ("- kafka\n", "lineshaft.yaml:1:1: is no table"),
        ("", "lineshaft.yaml:1:1: the file is empty"),
    ],
)
def test_what_is_no_table_in_yaml_is_named_by_line_and_column(text: str, start: str, tmp_path: Path) -> None:
    assert said(tmp_path, text)[0].startswith(start)


def test_a_folder_without_the_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="lineshaft init"):
        load_project(tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "lineshaft.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProjectError, match="UTF-8"):
        load_project(tmp_path)


def test_the_project_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    inside = tmp_path / "mappings" / "drafts"
    inside.mkdir(parents=True)
    assert find_folder(inside) is None
    (tmp_path / "lineshaft.yaml").touch()
    assert find_folder(inside) == tmp_path


@pytest.mark.parametrize("text", [None, "", "data: [", "kafka: nonsense\n"])
def test_the_data_folder_is_known_also_where_the_rest_is_wrong(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "lineshaft.yaml").write_text(text)
    assert data_folder(tmp_path) == tmp_path / ".lineshaft"
    (tmp_path / "lineshaft.yaml").write_text("data: elsewhere\nkafka: nonsense\n")
    assert data_folder(tmp_path) == tmp_path / "elsewhere"
