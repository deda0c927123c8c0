"""`lineshaft mapping activate|live|history` and `lineshaft audit …` on a bus, as an administrator uses them."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner, Result

from deploy import audit_heads
from deploy.exits import Refused
from deploy.main import app
from deploy.project import load_project
from deploy.wiring import activate_new, bus_of
from mappings import DefinitionError, shipped
from schemas.catalog import AUDIT
from streams.bus import Bus
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from tests.bus_on_kafka import until
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka

PROJECT = """
mappings: mappings
kafka: {{bootstrap: '{bootstrap}'}}
topic_prefix: '{prefix}'
partitions: 1
connectors:
  crm: {{type: salesforce, consumer_key: K, username: b@acme.example, private_key: '${{env:KEY}}', {far}}}
  plant-a: {{type: jiandaoyun, api_key: '${{env:KEY}}', app_id: a, entry_id: b, webhook_secret: '${{env:KEY}}'}}
  masterdata: {{type: files, folder: ., tables: [{items}, {links}]}}
"""
FAR = "login_url: 'https://localhost:1', pubsub_endpoint: 'localhost:1'"
ITEMS = "{document: Item, pattern: 'i*.csv', key: item, columns: [item, description, unit, site]}"
LINKS = "{document: Link, pattern: 'l*.csv', key: [kind, id], columns: [kind, system, id, to_system, to_id]}"


class Administrator:
    """The command line in one project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def says(self, *words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(app, ["--project", str(self.folder), *words], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done

    def asks(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.says(*words, "--json", code=code).stdout)

    def edits(self, name: str, old: str, new: str) -> None:
        file = self.folder / "mappings" / f"{name}.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))


@pytest.fixture
def admin(raw: RawKafka, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Administrator:
    monkeypatch.setenv("KEY", "a-secret")
    text = PROJECT.format(bootstrap=raw.bootstrap, prefix=topic_prefix, far=FAR, items=ITEMS, links=LINKS)
    (tmp_path / "lineshaft.yaml").write_text(text)
    (tmp_path / "mappings").mkdir()
    for each in shipped():
        if each.kind == "mapping":
            (tmp_path / "mappings" / f"{each.name}.yaml").write_text(each.text)
    bus = bus_of(load_project(tmp_path))
    topics.apply(bus.cluster, [each for each in bus.topics if each.name.startswith("bus.")], [])
    monkeypatch.setattr(Bus, "topics", [])  # the roles' own are not needed here
    return Administrator(tmp_path)


def test_a_draft_goes_live_by_name_and_the_one_before_it_again_all_of_it_audited(admin: Administrator) -> None:
    assert "nothing was ever activated" in admin.says("mapping", "history").stderr
    project = load_project(admin.folder)
    activate_new(bus_of(project), project, lambda _: None)
    before = admin.asks("mapping", "live")
    assert {each["draft"] for each in before["files"]} == {"the same"}
    admin.edits("salesforce-order", "to: lineshaft.SalesOrder", "to: lineshaft.SalesOrder  # a remark")
    with pytest.raises(Refused, match=r"version 1 was live before with another content(.|\n)*`version: 2`"):
        admin.says("mapping", "activate", "salesforce-order", "--yes")
    admin.edits("salesforce-order", "version: 1", "version: 2")
    admin.edits("job-order", "version: 1", "version: 7")
    with pytest.raises(Refused, match="Say --yes"):
        admin.says("mapping", "activate", "salesforce-order")
    done = admin.asks("mapping", "activate", "salesforce-order", "--yes")
    assert [(each["name"], each["version_before"], each["version_after"]) for each in done["changes"]] == [
        ("salesforce-order", 1, 2)
    ]
    drafts = {each["name"]: each["draft"] for each in admin.asks("mapping", "live")["files"]}
    assert drafts.pop("job-order") == "version 7, differs"
    assert set(drafts.values()) == {"the same"}
    assert "nothing would change" in admin.says("mapping", "activate", "salesforce-order").stderr
    admin.asks("mapping", "activate", "--definition", before["definition"][:6], "--yes")
    assert admin.asks("mapping", "live")["definition"] == before["definition"]
    known = admin.asks("mapping", "history")
    assert [(each["definition"], each["live"]) for each in known] == [
        (done["definition"], False),
        (before["definition"], True),
    ]
    told = [(each["action"], each["subject"], each["details"]["changes"]) for each in admin.asks("audit", "list")]
    assert told[1:] == [
        ("activate", done["definition"], "mapping salesforce-order: version 1 to 2"),
        ("activate", before["definition"], "mapping salesforce-order: version 2 to 1"),
    ]
    for line in documented("mappings.md", "lineshaft (mapping|audit)"):
        words = line.replace("3f9a", done["definition"][:8]).split()
        admin.says(*words[1:], *(["--yes"] if words[2] == "activate" and "--yes" not in words else []))
    assert admin.asks("mapping", "live")["definition"] == done["definition"]


def documented(page: str, command: str) -> list[str]:
    """The lines of a page's shell blocks that begin so, without their remarks."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.M | re.S)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    found = [line for line in lines if re.match(command, line) and " lint" not in line and " test" not in line]
    assert found
    return found


def test_all_makes_live_exactly_the_drafts_and_what_does_not_fit_changes_nothing(admin: Administrator) -> None:
    (admin.folder / "mappings" / "files-link.yaml").unlink()
    first = admin.asks("mapping", "activate", "--all", "--yes")
    assert "files-link" not in {each["name"] for each in admin.asks("mapping", "live")["files"]}
    admin.edits("job-order", "item:          {from: line.item", "item:          {from: line.itm")
    with pytest.raises(DefinitionError, match=r"line\.itm"):
        admin.says("mapping", "activate", "--all", "--yes")
    (admin.folder / "mappings" / "job-order.yaml").unlink()
    done = admin.asks("mapping", "activate", "--all", "--yes")
    assert [(each["name"], each["change"]) for each in done["changes"]] == [("job-order", "removed")]
    assert done["before"] == first["definition"]


def test_verify_finds_a_cut_a_rebuilt_and_a_foreign_entry_by_the_heads_that_were_published(
    admin: Administrator, raw: RawKafka, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load_project(admin.folder)
    cluster, heads = bus_of(project).cluster, project.data / audit_heads.FILE
    assert "no head was published" in admin.says("audit", "verify").stderr
    admin.says("mapping", "activate", "--all", "--yes")
    printed = json.loads(admin.says("audit", "head").stdout)
    assert not heads.exists()
    published(cluster, heads)
    assert json.loads(heads.read_text())["hash"] == printed["hash"]
    good = admin.asks("audit", "verify")
    assert (good["result"], good["heads"], good["entries"]) == ("good", 1, 1)
    copy = admin.folder / "kept-elsewhere.jsonl"
    copy.write_text(heads.read_text())
    heads.unlink()
    raw.produce(cluster.name(AUDIT), b"no entry")
    assert admin.asks("audit", "verify", code=1)["result"] == "unreadable"
    emptied(raw, cluster)
    assert admin.asks("audit", "verify")["entries"] == 0
    found = admin.asks("audit", "verify", "--heads", str(copy), code=1)
    assert (found["result"], found["number"]) == ("cut", 1)
    admin.edits("job-order", "version: 1", "version: 2")
    admin.says("mapping", "activate", "job-order", "--yes")
    assert admin.asks("audit", "verify", "--heads", str(copy), code=1)["result"] == "rebuilt"
    heads.write_text(copy.read_text())
    (admin.folder / "heads.jsonl").write_text(copy.read_text())
    monkeypatch.chdir(admin.folder)
    for line in documented("audit.md", "lineshaft audit"):
        admin.says(*line.split()[1:], code=1 if " verify" in line else 0)
    heads.write_text(copy.read_text())
    published(cluster, heads)
    assert "the audit log was tampered with (rebuilt)" in caplog.text
    assert len(heads.read_text().splitlines()) == 2


def published(cluster: Cluster, heads: Path) -> None:
    """What `up` does at its start, until it is ended."""
    lines = len(heads.read_text().splitlines()) if heads.exists() else 0
    stop = threading.Event()
    thread = threading.Thread(target=audit_heads.keep_publishing, args=(cluster, heads, stop))
    thread.start()
    until(lambda: heads.exists() and len(heads.read_text().splitlines()) > lines, "a head was published")
    stop.set()
    thread.join()


def emptied(raw: RawKafka, cluster: Cluster) -> None:
    """The topic is deleted and made again, as by somebody who wants to begin anew."""
    admin, name = AdminClient({"bootstrap.servers": raw.bootstrap}), cluster.name(AUDIT)
    admin.delete_topics([name])[name].result(30)
    until(lambda: name not in raw.topics(), "the topic is gone")
    raw.make_topic(name)
