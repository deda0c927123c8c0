"""The report of a run: JSON for machines, text for people, and one row in a document."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos.history import history
from tests.chaos.run import Outcome
from tests.chaos.table import enter

SHOWN = 10


def last_line(outcome: Outcome) -> str:
    """What the command ends with."""
    return f"faults={outcome.felt} violations={len(outcome.violations)} parked={len(outcome.facts.parked)}"


def show(outcome: Outcome, out: Path) -> None:
    """Print the schedule, the faults by kind, and the history of each order that something is wrong with."""
    print(f"seed {outcome.seed}, {outcome.brokers} brokers, full disk by {outcome.space}, {outcome.seconds:.0f} s")
    print("schedule: " + "; ".join(f"{each.number} {each.kind.name}" for each in outcome.schedule))
    for kind in outcome.unfelt:
        print(f"never felt: {kind}")
    facts = outcome.facts
    print(f"{len(facts.wanted)} orders, {len(facts.acts)} acts, {len(facts.work_writes)} writes to work orders, "
          f"{len(facts.status_writes)} to production status")  # fmt: skip
    for violation in outcome.violations[:SHOWN]:
        print(f"\nVIOLATION {violation.kind}: {violation.message}")
        print("\n".join(f"  {line}" for line in history(facts, violation)))
    if len(outcome.violations) > SHOWN:
        print(f"\n… and {len(outcome.violations) - SHOWN} more, in {out / 'report.json'}")
    print(f"report, ledgers and logs: {out}")


def write(outcome: Outcome, out: Path, table: Path | None) -> None:
    """Write report.json into `out` and, where `table` is given, the run's row into that document."""
    text = json.dumps(_plain(outcome), indent=1, ensure_ascii=False)
    (out / "report.json").write_text(text + "\n")
    if table is not None:
        enter(table, row(outcome))


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        **row(outcome),
        "seconds": round(outcome.seconds, 1),
        "unfelt": list(outcome.unfelt),
        "schedule": [each.kind.name for each in outcome.schedule],
        "faults": [asdict(each) for each in outcome.faults],
        "parked": [asdict(each) for each in outcome.facts.parked],
        "violations": [
            {**asdict(each), "history": history(outcome.facts, each)} for each in outcome.violations
        ],
    }  # fmt: skip


def row(outcome: Outcome) -> dict[str, Any]:
    """What the document's table shows of a run."""
    felt = Counter(fault.kind for fault in outcome.faults if fault.felt_s is not None)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "commit": commit(),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "seed": outcome.seed,
        "brokers": outcome.brokers,
        "disk": outcome.space,
        "orders": len(outcome.facts.wanted),
        "felt": outcome.felt,
        "violated": len(outcome.violations),
        "parked_at_end": len(outcome.facts.parked),
        "kinds": dict(sorted(felt.items())),
    }


def commit() -> str:
    """The commit that ran, with a + where files differed from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
