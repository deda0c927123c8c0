"""The table of runs in a document, between two marks; what stands around it is not touched."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- chaos: written by `make chaos`, do not edit -->", "<!-- end of chaos -->"
DATA = "<!-- "
COLUMNS = {
    "date": "date (UTC)", "commit": "commit", "seed": "seed", "brokers": "brokers", "orders": "orders",
    "felt": "faults felt", "violated": "violations", "parked_at_end": "parked, all explained",
}  # fmt: skip


def enter(document: Path, row: Mapping[str, Any]) -> None:
    """Put a run's row into the document; a run of the same seed and commit takes the place of the one before."""
    text = document.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    rows = [json.loads(line.removeprefix(DATA).removesuffix(" -->")) for line in inside.splitlines()
            if line.startswith(DATA + "{")]  # fmt: skip
    rows = [each for each in rows if (each["seed"], each["commit"]) != (row["seed"], row["commit"])] + [dict(row)]
    if not _:
        before = before.rstrip("\n") + "\n\n"
        after = after or "\n"
    document.write_text(f"{before}{BEGIN}\n{rendered(rows)}\n{END}{after}", encoding="utf-8")


def rendered(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table of runs, what they add up to, and how often each kind was felt."""
    kinds: Counter[str] = Counter()
    for row in rows:
        kinds.update(row["kinds"])
    felt, violated = sum(row["felt"] for row in rows), sum(row["violated"] for row in rows)
    seeds = len({row["seed"] for row in rows})
    lines = [
        "",
        f"{felt} felt faults over {seeds} seeds, {violated} violations. Machine: {rows[-1]['machine']}; "
        f"the full disk was made by {rows[-1]['disk']}.",
        "",
        "| " + " | ".join(COLUMNS.values()) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(str(row[name]) for name in COLUMNS) + " |" for row in rows),
        "",
        "| kind of fault | felt |",
        "|---|---|",
        *(f"| {kind} | {count} |" for kind, count in sorted(kinds.items())),
        "",
        *(f"{DATA}{json.dumps(row, ensure_ascii=False)} -->" for row in rows),
    ]
    return "\n".join(lines)
