"""The demo's story with the real Tryton server on both sides, as a user starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from deploy.demo.sides import FLOORS, SHOPS
from deploy.demo_commands import Crm, Mes
from tests.made_log import made_log


def test_the_demo_offers_every_shop_and_every_floor_that_there_is() -> None:
    assert (get_args(Crm), get_args(Mes)) == (tuple(SHOPS), tuple(FLOORS))


@pytest.mark.kafka
@pytest.mark.timeout(400)
def test_the_same_story_is_told_with_tryton_on_both_sides(tmp_path: Path) -> None:
    log, report = made_log(tmp_path / "log.csv", orders=5, seed=11), tmp_path / "report.json"
    sides = ("--crm", "tryton", "--mes", "tryton", "--speed", "60000")
    command = [sys.executable, "-m", "deploy.main", "demo", *sides, "--log", str(log), "--report", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert (found["orders_completed"], found["parked"], found["differences"]) == (5, 0, [])
    assert found["quantity_good_expected"] == found["quantity_good_reported"]
    assert "Tryton CRM and in Tryton MES" in done.stdout
