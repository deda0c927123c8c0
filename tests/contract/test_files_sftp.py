"""A drop folder on a real OpenSSH server: each file once, and only on the server that was meant."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.contract import Batch, Position, Source
from connectors.errors import AuthError, ConfigError, TransientError
from connectors.files import FilesConfig, FilesOutConfig, connector, out
from connectors.files.sftp import SftpPlace
from schemas.document import Document
from tests.contract.sftp_kit import SshServer, running

pytestmark = pytest.mark.needs("sshd", "ssh-keygen")

ITEMS: dict[str, object] = {"document": "Item", "pattern": "items*", "key": "item", "columns": ["item", "unit"]}
TEXT = "item,unit\nP-1,EA\nP-2,EA\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with running(tmp_path / "ssh") as found:
        yield found


@contextmanager
def opened(config: FilesConfig, position: Position | None = None) -> Iterator[Source]:
    assert connector.source is not None
    with closing(connector.source(config)) as source:
        source.open(position)
        yield source


def batches(source: Source, polls: int = 12) -> list[Batch]:
    return [batch for _ in range(polls) if (batch := source.poll(0.05)) is not None]


def read(source: Source) -> list[Document]:
    return [document for batch in batches(source) for document in batch.documents]


def done(server: SshServer) -> list[str]:
    return sorted(path.name for path in (server.folder / "done").iterdir())


def test_a_file_is_read_once_and_put_away(server: SshServer) -> None:
    (server.folder / "items.csv").write_text(TEXT)
    with opened(server.config([ITEMS])) as source:
        assert [document.id for document in read(source)] == ["P-1", "P-2"]
        assert (done(server), (server.folder / "items.csv").exists()) == (["items.csv"], False)
        assert read(source) == []


def test_a_file_is_told_from_its_replacement_also_with_the_same_size_and_time(server: SshServer) -> None:
    file = server.folder / "items.csv"
    with opened(server.config([ITEMS])) as source:
        for text in (TEXT, TEXT.replace("EA", "KG")):
            file.write_text(text)
            os.utime(file, (1_760_000_000, 1_760_000_000))
            assert len(read(source)) == 2
    assert len(done(server)) == 2


def test_a_file_that_still_grows_is_not_read(server: SshServer) -> None:
    with opened(server.config([ITEMS])) as source:
        text = "item,unit\n"
        for number in range(5):
            text += f"P-{number},EA\n"
            (server.folder / "items.csv").write_text(text)
            assert source.poll(0.1) is None
        assert len(read(source)) == 5


def test_a_bus_that_died_after_the_last_row_reads_nothing_again(server: SshServer) -> None:
    (server.folder / "items.csv").write_text(TEXT)
    with opened(server.config([ITEMS])) as source:
        while not (batch := source.poll(0.05)):
            pass
    assert (server.folder / "items.csv").exists()
    with opened(server.config([ITEMS]), batch.position) as again:
        assert read(again) == []
    assert done(server) == ["items.csv"]


def test_a_bus_that_died_in_the_middle_goes_on_behind_the_last_row(server: SshServer) -> None:
    (server.folder / "items.csv").write_text("item,unit\n" + "".join(f"P-{n},EA\n" for n in range(700)))
    with opened(server.config([ITEMS])) as source:
        while not (batch := source.poll(0.05)):
            pass
    with opened(server.config([ITEMS]), batch.position) as again:
        found = [document.id for document in (*batch.documents, *read(again))]
    assert found == [f"P-{n}" for n in range(700)]


@pytest.mark.parametrize("keys", [["other"], ["other", "stranger"]])
def test_a_server_with_another_key_is_never_spoken_to(server: SshServer, keys: list[str]) -> None:
    config = server.config([ITEMS], host_keys=[server.host_key(name) for name in keys])
    with pytest.raises(ConfigError, match=r"shows another key.*somebody is in between"), opened(config):
        pass
    assert b"Accepted" not in (server.home / "log").read_bytes()


def test_a_server_with_a_key_of_another_kind_is_never_trusted_the_first_time(server: SshServer) -> None:
    ecdsa = server.host_key("ecdsa")
    with (
        pytest.raises(ConfigError, match="shows another key"),
        opened(server.config([ITEMS], host_keys=[ecdsa])),
    ):
        pass
    assert b"Accepted" not in (server.home / "log").read_bytes()


def test_while_a_servers_key_is_changed_both_are_good(server: SshServer) -> None:
    config = server.config([ITEMS], host_keys=[server.host_key("other"), server.host_key()])
    with opened(config) as source:
        assert read(source) == []


def test_a_key_that_the_server_does_not_know_is_an_auth_error(server: SshServer) -> None:
    config = server.config([ITEMS], key=f"${{file:{server.home}/stranger}}")
    with pytest.raises(AuthError, match="compare user, key and password"), opened(config):
        pass


def test_what_is_no_key_and_no_folder_is_named(server: SshServer) -> None:
    with (
        pytest.raises(ConfigError, match="no private key"),
        opened(server.config([ITEMS], key=f"${{file:{server.home}/user.pub}}")),
    ):
        pass
    with (
        pytest.raises(ConfigError, match="is no folder there"),
        opened(server.config([ITEMS], folder=str(server.folder / "nowhere"))),
    ):
        pass
    with (
        pytest.raises(ConfigError, match="is no public key"),
        opened(server.config([ITEMS], host_keys=["ssh-ed25519 AAAA"])),
    ):
        pass


def test_a_server_that_dies_passes_and_the_next_source_goes_on(server: SshServer) -> None:
    (server.folder / "items.csv").write_text(TEXT)
    place = SftpPlace(server.config([ITEMS]).sftp)  # type: ignore[arg-type]
    server.stop()
    with closing(place), pytest.raises(TransientError, match="not reachable"):
        place.looks()
    server.start()
    with opened(server.config([ITEMS])) as source:
        assert len(read(source)) == 2


def test_no_thread_is_left_behind(server: SshServer) -> None:
    before = threading.active_count()
    with opened(server.config([ITEMS])) as source:
        batches(source)
        source.close()
    assert threading.active_count() == before
    with pytest.raises(ConfigError), opened(server.config([ITEMS], host_keys=[server.host_key("other")])):
        pass
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"host_keys": []}, "at least 1 item"),
        ({"host_keys": ["AAAA"]}, "should match pattern"),
        ({"key": None}, "either a key or a password"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    server: SshServer, change: dict[str, list[str]], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        server.config([ITEMS], **change)


def test_one_place_has_to_be_named() -> None:
    with pytest.raises(ValidationError, match="either a folder or sftp"):
        FilesConfig.model_validate({"tables": [ITEMS]})


def test_a_document_is_handed_over_whole_and_once(server: SshServer) -> None:
    assert out.sink is not None
    handover = {"document": "WorkOrder", "fields": {"item": "text"}}
    config = FilesOutConfig.model_validate({"sftp": server.sftp(), "write": [handover]})
    document = Document("WorkOrder", "crm:1/L1", "7", {"item": "P-1"})
    with closing(out.sink(config)) as sink:
        sink.open()
        assert sink.write([document]) == []
        assert sink.write([document, Document("WorkOrder", "crm:1/L1", "6", {"item": "P-0"})]) == []
    (file,) = server.folder.iterdir()
    assert (file.name, file.read_text()) == (
        "WorkOrder-crm%3A1%2FL1-00000000000000000007.json",
        '{"id":"crm:1/L1","item":"P-1","version":7}\n',
    )
