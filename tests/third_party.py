"""A developer elsewhere: an environment of one's own that sees the packages of this one, and `lineshaft` in it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from ruff import find_ruff_bin  # type: ignore[import-untyped]

from tests.architecture.source_tree import ROOT


@dataclass(frozen=True)
class Elsewhere:
    """`folder` is where commands run; nothing that is installed here is seen by other tests."""

    folder: Path

    @property
    def _bin(self) -> Path:
        return self.folder / ".venv" / "bin"

    def set_up(self) -> None:
        """Make the environment: what is on this interpreter's path is seen there, as if it had been installed."""
        venv.create(self.folder / ".venv", with_pip=False)
        seen = [each for each in sys.path if "site-packages" in Path(each).parts]
        own = sysconfig.get_path("purelib", vars={"base": str(self._bin.parent)})
        (Path(own) / "seen.pth").write_text("\n".join(dict.fromkeys([*seen, str(ROOT)])))
        script = f'#!/bin/sh\nexec "{self._bin}/python" -m deploy.main "$@"\n'
        self._add("lineshaft", script)
        self._add("ruff", f'#!/bin/sh\nexec "{find_ruff_bin()}" "$@"\n')  # its module looks for itself here
        for tool in ("pytest", "mypy"):
            self._add(tool, f'#!/bin/sh\nexec "{self._bin}/python" -m {tool} "$@"\n')
        # no index is asked: what the package needs is seen already
        self._add(
            "pip", f'#!/bin/sh\nexec "{sys.executable}" -m pip --python "{self._bin}/python" -q --no-input "$@"\n'
        )

    def run(self, command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """What a shell does with a line in `folder` (else the environment's own)."""
        environment = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "COVERAGE_RUN")
        }
        environment |= {
            "PATH": f"{self._bin}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "200",
        }
        where = folder or self.folder
        return subprocess.run(
            ["sh", "-c", command], cwd=where, env=environment, capture_output=True, text=True, check=False
        )

    def must(self, command: str, folder: Path | None = None) -> str:
        """What the line says; it must succeed."""
        done = self.run(command, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _add(self, name: str, script: str) -> None:
        file = self._bin / name
        file.write_text(script)
        file.chmod(0o755)


def elsewhere(folder: Path) -> Elsewhere:
    """A new environment in a folder."""
    made = Elsewhere(folder)
    made.set_up()
    return made
