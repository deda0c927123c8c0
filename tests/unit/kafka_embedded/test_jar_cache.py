"""The jars of the broker: fetched once, checked always, and every failure says what to do."""

from __future__ import annotations

import gc
import hashlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.kafka import JarCorrupt, JarsUnreachable, cache, jars
from deploy.kafka.artifacts import Artifact

NAMES = ("one", "three", "two")

# jgo leaves the answer to a refused download open; it is collected here, not in a test that comes later
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


@dataclass
class Mirror:
    """A Maven repository on loopback: its files, and how often each was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    refuse_first: int = 0
    url: str = ""

    def publish(self, name: str, content: bytes | None = None) -> Artifact:
        """Pin a jar whose name is its content; `content` is what the mirror hands out instead."""
        artifact = Artifact("org.example", name, "1.0", hashlib.sha256(name.encode()).hexdigest())
        self.files[f"/{artifact.path}"] = name.encode() if content is None else content
        return artifact

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked[path] += 1
        if self.asked[path] <= self.refuse_first:
            return 503, b""
        return (200, self.files[path]) if path in self.files else (404, b"")


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    served = Mirror()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = served.answer(self.path)
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """The test counts requests; it needs no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("LINESHAFT_MAVEN", served.url)
        monkeypatch.setattr(jars, "PAUSE_S", 0)
        yield served
        server.shutdown()


@pytest.fixture
def said() -> list[str]:
    return []


def test_jars_come_in_the_order_of_the_list_and_are_fetched_once(
    mirror: Mirror, tmp_path: Path, said: list[str]
) -> None:
    pinned = [mirror.publish(name) for name in NAMES]
    jars.ensure(pinned, tmp_path, said.append)
    found = jars.ensure(pinned, tmp_path, said.append)
    assert [path.read_text() for path in found] == list(NAMES)
    assert [mirror.asked[f"/{artifact.path}"] for artifact in pinned] == [1, 1, 1]


def test_progress_without_a_terminal_is_a_few_plain_lines(mirror: Mirror, tmp_path: Path, said: list[str]) -> None:
    jars.ensure([mirror.publish(f"jar{number}") for number in range(20)], tmp_path, said.append)
    assert said[0].startswith("kafka: fetching 20 jars")
    assert said[1:] == [f"kafka: {done} of 20 jars" for done in (5, 10, 15, 20)]


def test_a_corrupt_download_names_the_jar_and_both_hashes_and_is_not_kept(
    mirror: Mirror, tmp_path: Path, said: list[str]
) -> None:
    artifact = mirror.publish("one", content=b"<html>please log in</html>")
    with pytest.raises(JarCorrupt) as found:
        jars.ensure([artifact], tmp_path, said.append)
    assert "org.example:one:1.0" in found.value.problem
    assert artifact.sha256 in found.value.problem
    assert hashlib.sha256(b"<html>please log in</html>").hexdigest() in found.value.problem
    assert str(tmp_path / "maven" / artifact.path) in found.value.remedy
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_jar_that_went_bad_in_the_cache_is_named_with_the_command_that_helps(
    mirror: Mirror, tmp_path: Path, said: list[str]
) -> None:
    artifact = mirror.publish("one")
    (path,) = jars.ensure([artifact], tmp_path, said.append)
    path.write_bytes(b"rotten")
    with pytest.raises(JarCorrupt) as found:
        jars.ensure([artifact], tmp_path, said.append)
    for part in (str(path), artifact.sha256, hashlib.sha256(b"rotten").hexdigest()):
        assert part in found.value.problem
    assert f"rm {path}" in found.value.remedy
    path.unlink()
    assert jars.ensure([artifact], tmp_path, said.append) == [path]


def test_a_passing_failure_of_the_mirror_is_tried_again(mirror: Mirror, tmp_path: Path, said: list[str]) -> None:
    mirror.refuse_first = jars.ATTEMPTS - 1
    assert len(jars.ensure([mirror.publish("one")], tmp_path, said.append)) == 1


def test_a_jar_that_the_mirror_does_not_have_is_named(mirror: Mirror, tmp_path: Path, said: list[str]) -> None:
    artifact = mirror.publish("one")
    mirror.files.clear()
    with pytest.raises(JarsUnreachable, match=r"org\.example:one:1.0"):
        jars.ensure([artifact], tmp_path, said.append)


def test_without_a_network_the_error_says_where_jars_come_from_and_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setenv("LINESHAFT_MAVEN", "http://127.0.0.1:1")
    monkeypatch.setattr(jars, "PAUSE_S", 0)
    artifact = Artifact("org.example", "one", "1.0", "0" * 64)
    with pytest.raises(JarsUnreachable) as found:
        jars.ensure([artifact], tmp_path, said.append)
    for way in ("Maven Central", "HTTPS_PROXY", "LINESHAFT_MAVEN", "LINESHAFT_CACHE"):
        assert way in found.value.remedy


FILL = """
import sys
from pathlib import Path
from deploy.kafka import cache, jars
from deploy.kafka.artifacts import parse
where = Path(sys.argv[1])
with cache.lock(where, print):
    print(len(jars.ensure(parse(sys.argv[2]), where, print)))
"""


def test_two_processes_that_fill_one_cache_at_once_fetch_each_jar_once(mirror: Mirror, tmp_path: Path) -> None:
    pinned = [mirror.publish(f"jar{number}") for number in range(12)]
    listing = "".join(f"{artifact.coordinates} {artifact.sha256}\n" for artifact in pinned)
    processes = [
        subprocess.Popen([sys.executable, "-c", FILL, str(tmp_path), listing], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert [output.splitlines()[-1] for output in outputs] == ["12", "12"]
    assert {mirror.asked[f"/{artifact.path}"] for artifact in pinned} == {1}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LINESHAFT_CACHE": "/own", "XDG_CACHE_HOME": "/xdg"}, "/own"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/lineshaft"),
        ({"HOME": "/home/ada"}, "/home/ada/.cache/lineshaft"),
    ],
)
def test_the_cache_folder_follows_the_users_wishes(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LINESHAFT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache.folder() == Path(expected)


def test_a_cache_folder_that_cannot_be_made_names_the_remedy(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with pytest.raises(Exception, match="Set LINESHAFT_CACHE"), cache.lock(in_the_way / "cache", print):
        pass
    assert list(tmp_path.iterdir()) == [in_the_way]
