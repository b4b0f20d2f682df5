"""What leaves by download: a marked file, and one line in the log for each, or nothing at all."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
from page_runs import PAGES, results, through_the_front

from analytics import audit_log
from analytics.measures.types import ALL, Cohort, Stratifier
from analytics.session import Session, View, Viewer
from analytics.texts import label

WHO = Viewer("somebody", frozenset({"explorer"}))
SHOWING = [script for script in PAGES if script.parent.name == "explore" and script.stem != "overview"]


@pytest.fixture
def session(built_demo: Path, tmp_path: Path) -> Session:
    """A store of its own with the demo's snapshot, so that its log begins empty."""
    for file in built_demo.iterdir():
        if file.is_file():
            (tmp_path / file.name).symlink_to(file)
    return Session(tmp_path)


@pytest.fixture
def view(session: Session) -> View:
    return session.view(WHO, "explore")


def lines(session: Session) -> list[dict[str, object]]:
    return [json.loads(line) for line in session.log_path.read_text(encoding="utf-8").splitlines()]


def test_a_download_is_one_line_that_says_who_took_what(session: Session, view: View) -> None:
    telehealth = Cohort({"modality": ("telehealth",)})
    result = view.result(view.measure("completion"), telehealth, Stratifier.PROGRAM)
    assert not session.log_path.exists()  # looking is not logged, taking is
    content = view.download(result)
    (line,) = lines(session)
    assert {
        "action": "download",
        "viewer": "somebody",
        "measure": "completion",
        "by": "program_id",
        "cohort": "telehealth",
        "tier": "internal",
        "snapshot": view.provenance.snapshot_id,
        "sha256": hashlib.sha256(content).hexdigest(),
    }.items() <= line.items()
    view.download(result)
    assert len(lines(session)) == 2
    assert audit_log.verify(session.log_path) == []


def test_the_file_says_where_it_comes_from_and_holds_the_numbers_shown(view: View) -> None:
    result = view.result(view.measure("completion"), Cohort(), Stratifier.MODALITY)
    text = view.download(result).decode("utf-8-sig")
    provenance = view.provenance
    assert provenance.snapshot_id in text
    assert provenance.data_as_of in text
    assert "internal" in text.lower() and "made-up" in text.lower()
    everyone = result.content.estimates[ALL]
    rows = [row for row in csv.reader(text.splitlines()) if len(row) > 5]
    head, groups = rows[0], {row[0]: row for row in rows[1:]}
    assert groups.keys() >= {label("modality", "telehealth"), label("modality", "in_person")}
    whole = dict(zip(head, groups["Everyone"], strict=True))
    assert (whole["numerator"], whole["denominator"], whole["not_known"]) == (
        str(everyone.numerator),
        str(everyone.denominator),
        str(everyone.unknown),
    )


def test_what_cannot_be_logged_does_not_leave(session: Session, view: View) -> None:
    result = view.result(view.measure("completion"), Cohort())
    session.log_path.parent.parent.joinpath("logs").write_text("no folder", encoding="utf-8")
    with pytest.raises(OSError):
        view.download(result)


@pytest.mark.parametrize("script", SHOWING, ids=lambda script: script.stem)
def test_every_result_offers_its_table_and_opening_a_page_logs_nothing(demo: Path, script: Path) -> None:
    page = through_the_front(script)
    assert all(result.downloads for result in results(page))
    log = demo / "logs" / "audit.jsonl"
    assert not log.exists()
