"""`make soak`: an hour of orders at a steady rate, and whether memory and lag stay flat.

    python -m tests.soak [--minutes 60] [--rate 200] [--folder DIR] [--table docs/reliability.md]

Exit 1 where something is not flat, an order is lost, or a write is repeated.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag

from tests.soak.judgement import Judgement, judge, summary, table
from tests.soak.run import Soak, run

BEGIN, END = "<!-- soak: written by `make soak`, do not edit -->", "<!-- end of soak -->"
DISK_BYTES_PER_ORDER = 5_000


def main() -> int:
    """Run, judge, show."""
    asked = _arguments()
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    folder = Path(asked.folder or tempfile.mkdtemp(prefix="lineshaft-soak-")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    needed = int(asked.rate * asked.minutes * 60 * DISK_BYTES_PER_ORDER)
    if shutil.disk_usage(folder).free < needed:
        print(f"soak: {folder} needs {needed / 1e9:.1f} GB and has less: name another --folder", file=sys.stderr)
        return 2
    soak = run(folder, asked.rate, asked.minutes, lambda text: print(text, flush=True), stop)
    found = judge(soak)
    print("\n".join(table(found)))
    print("\n".join(f"NOT FLAT {each}" for each in found.problems))
    print(summary(soak, found))
    if asked.table:
        _enter(asked.table, soak, found)
    if found.good and not asked.folder:
        shutil.rmtree(folder)
    return 0 if found.good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long orders come")
    parser.add_argument("--rate", type=float, default=200.0, help="orders per second")
    parser.add_argument("--folder", help="where all of it lives; else a new one under the folder of temporary files")
    parser.add_argument("--table", type=Path, help="a document to write the result into, between its soak marks")
    return parser.parse_args()


def _enter(document: Path, soak: Soak, found: Judgement) -> None:
    """Put the result into the document, in the place of an earlier one."""
    text = document.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if rest else "\n"
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    head = (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {git.stdout.strip()}, {soak.rate:.0f} orders/s for "
        f"{soak.orders / soak.rate / 60:.0f} minutes, {os.cpu_count()} cores ({platform.machine()}), "
        f"{soak.disk_mb:,.0f} MB on disk at the end: `{summary(soak, found)}`"
    )
    whole = "\n".join([BEGIN, "", head, "", *table(found), "", END])
    document.write_text(f"{before.rstrip()}\n\n{whole}{after}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
