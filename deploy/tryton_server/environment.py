"""The server's own virtual environment and the template of a company, made once in the user's cache and found again.

Tryton is GPL: it is installed by pip into an environment that is not ours, and only ever run as a process.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from deploy.kafka.cache import folder as cache_folder
from deploy.kafka.cache import lock

HERE = files("deploy.tryton_server")
MODULE = files("connectors").joinpath("tryton", "module")
MODULES = ("sale", "sale_complaint", "production", "production_routing", "production_work", "stock_lot", "quality")
OURS = "lineshaft"
COMPANY = "company"
EMAIL = "nobody@localhost.invalid"
ADMIN = "from trytond.cli.admin import main; main()"
HASH_LENGTH = 12
SLOWEST_S = 600
NOT_OURS = ("PYTHON", "VIRTUAL_ENV", "TRYTON")

CONFIGURATION = """\
[database]
uri = sqlite://
path = {databases}
[web]
listen = 127.0.0.1:{port}
[queue]
worker = {queued}
"""


class EnvironmentFailed(Exception):
    """The environment or the template could not be made; the message shows the last lines of what was tried."""


@dataclass(frozen=True)
class Environment:
    """What a server needs: the interpreter of its environment, and a template's folder."""

    python: Path
    template: Path

    @property
    def database(self) -> Path:
        """A company's SQLite database, to be copied."""
        return self.template / f"{COMPANY}.sqlite"

    @property
    def facts(self) -> Path:
        """What is in it, as JSON: ids of company, products and customers, and the bus's key."""
        return self.template / "facts.json"

    @property
    def site(self) -> Path:
        """The folder that makes our module known to the server's Python."""
        return self.template / "site"

    def variables(self) -> Mapping[str, str]:
        """The environment variables of the server's processes: none of our own interpreter's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
        return {**kept, "PYTHONPATH": str(self.site), "PYTHONDONTWRITEBYTECODE": "1"}


def ensure(say: Callable[[str], None]) -> Environment:
    """The environment of the pinned versions and of our module as it is now. Raises EnvironmentFailed.

    Three steps, each made once: the environment, a database with Tryton's modules (the slow one), our company.
    """
    cache = cache_folder() / "tryton"
    requirements = HERE.joinpath("requirements.txt")
    pinned = f"py{sys.version_info[0]}{sys.version_info[1]}-{_hash([requirements])}"
    venv, empty = cache / f"venv-{pinned}", cache / f"empty-{pinned}"
    interpreter = venv / "bin" / "python"
    company = cache / f"company-{_hash([requirements, HERE.joinpath('company.py'), *_files(MODULE)])}"
    with lock(cache, say):
        if not venv.exists():
            say(f"tryton: installing the server into {venv} (half a minute, only this once)")
            _made(venv, _install)
        if not empty.exists():
            say(f"tryton: making a database in {empty} (a minute, only this once)")
            _made(empty, lambda place: _make_database(Environment(interpreter, place)))
        if not company.exists():
            say(f"tryton: founding a company in {company} (10 s, only this once)")
            _made(
                company,
                lambda place: _found_company(Environment(interpreter, place), Environment(interpreter, empty)),
            )
    return Environment(interpreter, company)


def write_configuration(file: Path, databases: Path, port: int, queued: bool = False) -> Path:
    """Write the server's configuration; `databases` is the folder of the SQLite files, each named as its database.

    What is `queued` waits for a worker, of which there is none; else the server does it at once.
    """
    file.write_text(CONFIGURATION.format(databases=databases, port=port, queued=queued))
    return file


def _made(place: Path, make: Callable[[Path], None]) -> None:
    """Make a folder under another name first: what has its name is whole. Only its interpreter is ever called."""
    half = place.with_name(f"{place.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    make(half)
    half.rename(place)


def _install(venv: Path) -> None:
    _run([sys.executable, "-m", "venv", str(venv)], os.environ)
    pip = [
        str(venv / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries=2",
    ]
    with as_file(HERE.joinpath("requirements.txt")) as requirements:
        _run([*pip, "--no-deps", "-r", str(requirements)], os.environ)


def _make_database(environment: Environment) -> None:
    """A database with all modules but ours, and nothing in it."""
    environment.template.mkdir()
    environment.database.touch()
    _administer(environment, "--email", EMAIL, "-u", *MODULES)


def _found_company(environment: Environment, empty: Environment) -> None:
    """Our module where Python finds it, and a database with it and a small company's master data."""
    _make_known(environment.site)
    shutil.copyfile(empty.database, environment.database)
    variables = _administer(environment, "-u", OURS)
    with as_file(HERE.joinpath("company.py")) as script:
        environment.facts.write_text(_run([str(environment.python), str(script)], variables))


def _administer(environment: Environment, *options: str) -> Mapping[str, str]:
    """Install modules; gives the environment variables of whatever goes on in that database.

    An e-mail address in `options` belongs to a new database alone: it makes the administrator anew, without rights.
    """
    place = environment.template
    password = place / "password"
    password.write_text(secrets.token_hex())
    configuration = str(write_configuration(place / "founding.conf", place, port=0))
    variables = {
        **environment.variables(),
        "TRYTONPASSFILE": str(password),
        "TRYTOND_CONFIG": configuration,
        "DB_NAME": COMPANY,
    }
    command = ("-c", ADMIN, "-c", configuration, "-d", COMPANY, "--activate-dependencies", *options)
    _run([str(environment.python), *command], variables)
    return variables


def _make_known(site: Path) -> None:
    package, metadata = site / "lineshaft_tryton", site / "lineshaft_tryton-1.dist-info"
    package.mkdir(parents=True)
    metadata.mkdir()
    for each in _files(MODULE):
        (package / each.name).write_bytes(each.read_bytes())
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: lineshaft-tryton\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[trytond.modules]\n{OURS} = lineshaft_tryton\n")


def _run(command: Sequence[str], variables: Mapping[str, str]) -> str:
    """What it prints. Raises EnvironmentFailed."""
    done = subprocess.run(  # noqa: S603
        command,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SLOWEST_S,
    )
    if done.returncode:
        raise EnvironmentFailed(f"{' '.join(command[:4])} … failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def _files(place: Traversable) -> list[Traversable]:
    """What a template follows from."""
    inside = (each for each in place.iterdir() if each.is_file())
    return sorted(inside, key=lambda each: each.name)


def _hash(contents: Iterable[Traversable]) -> str:
    found = hashlib.sha256()
    for each in contents:
        found.update(each.name.encode() + b"\0" + each.read_bytes())
    return found.hexdigest()[:HASH_LENGTH]
