import socket
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.errors import ConfigError
from connectors.testing import kept_port, ports

CHOOSE = """
import sys; from pathlib import Path; from connectors.testing import kept_port, ports
ports.CHOICE = [int(each) for each in sys.argv[2:]]
print(kept_port(Path(sys.argv[1]), "api"))
"""


def by_another_process(folder: Path, *choice: int) -> subprocess.CompletedProcess[str]:
    """A port of `folder`, chosen out of these by a process that then ends."""
    command = [sys.executable, "-c", CHOOSE, str(folder), *map(str, choice)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_port_is_chosen_once_and_remembered(tmp_path: Path) -> None:
    assert kept_port(tmp_path, "api") == kept_port(tmp_path, "api")


def test_two_names_in_one_folder_get_two_ports(tmp_path: Path) -> None:
    assert kept_port(tmp_path, "api") != kept_port(tmp_path, "push")


def test_a_kept_port_that_another_program_took_is_named_with_the_remedy(tmp_path: Path) -> None:
    port = kept_port(tmp_path, "api")
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(ConfigError, match=rf"port {port} of api: cannot be used .* delete .*ports\.json"):
            kept_port(tmp_path, "api")


def test_a_port_that_nobody_listens_on_yet_is_not_chosen_for_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "CHOICE", [kept_port(tmp_path / "first", "api")])

    with pytest.raises(ConfigError, match="is free"):
        kept_port(tmp_path / "second", "api")


def test_a_port_that_nobody_listens_on_yet_is_not_chosen_by_another_process(tmp_path: Path) -> None:
    port = kept_port(tmp_path / "first", "api")

    assert "is free" in by_another_process(tmp_path / "second", port).stderr


def test_another_process_may_serve_the_folder_whose_port_this_one_chose(tmp_path: Path) -> None:
    port = kept_port(tmp_path, "api")

    assert by_another_process(tmp_path, port).stdout == f"{port}\n"


def test_a_folder_that_another_process_left_is_served_by_one_that_keeps_its_port_from_others(tmp_path: Path) -> None:
    port = int(by_another_process(tmp_path / "left", *ports.CHOICE[::100]).stdout)

    assert kept_port(tmp_path / "left", "api") == port
    assert "is free" in by_another_process(tmp_path / "other", port).stderr


def test_a_port_is_free_again_when_the_process_that_chose_it_has_ended(tmp_path: Path) -> None:
    port = int(by_another_process(tmp_path / "ended", *ports.CHOICE[::100]).stdout)

    assert by_another_process(tmp_path / "next", port).stdout == f"{port}\n"
