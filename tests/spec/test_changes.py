"""What an import says that it changed: rows new, corrected, unchanged and retired, by file; and what may shrink."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from analytics.intake.changes import Changes
from analytics.intake.report import ImportReport
from tests.spec.raw_files import CUT, Files, Provider, Row

ADMITTED = date(2026, 1, 5)


def day(number: int) -> date:
    return ADMITTED + timedelta(number)


# E1 of P1: days 0 to 50, six sessions, three scores. E2 of P2: from day 10, still in. E3 of P1: from day 90, still in.
FILES: Files = {
    "episodes": [
        {"discharge_date": day(50), "discharge_reason": "completed"},
        {"episode_id": "E2", "person_id": "P2", "admit_date": day(10)},
        {"episode_id": "E3", "admit_date": day(90)},
    ],
    "attendance": [{"session_date": day(number)} for number in (2, 5, 10, 15, 20, 25)],
    "scores": [
        {"assessed_on": day(2), "total": 20}, {"assessed_on": day(49), "total": 9},
        {"episode_id": "E2", "assessed_on": day(10), "total": 12},
    ],
    "substance_use": [{"observed_on": day(7)}, {"observed_on": day(9)}],
    "readmissions": [{"admit_date": day(60), "discharge_date": day(63)}],
    "followups": [{"attempted_on": day(85), "reached": False}],
    "capture": [{"from": day(0), "to": CUT}, {"person_id": "P2", "from": day(10), "to": day(40)}],
    "referrals": [
        {"received_on": day(-30), "episode_id": "E1"},
        {"referral_id": "R2", "person_id": "P2", "received_on": day(8)},
        {"referral_id": "R3", "person_id": "Q1", "received_on": day(20)},
    ],
    "satisfaction": [{"invited": 9, "answered": 2}, {"recommend": 4}, {"recommend": 4}],
    "finance": [{"cost": 100}],
}  # fmt: skip
ROWS = {f"{table}.csv": len(rows) for table, rows in FILES.items()}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    provider = Provider(tmp_path_factory.mktemp("changes") / "home")
    report = provider.load(FILES)
    assert report.published and report.changes == {}
    return provider


@pytest.fixture
def provider(imported: Provider, tmp_path: Path) -> Provider:
    return imported.copy(tmp_path / "home")


def unlike(report: ImportReport) -> dict[str, tuple[int, int, int]]:
    """New, corrected and retired rows of the files that have any; the others are the same."""
    assert json.loads(report.as_json())["changes"] == {name: vars(each) for name, each in report.changes.items()}
    found = {name: (each.new, each.corrected, each.retired) for name, each in report.changes.items()}
    for name, each in report.changes.items():
        assert each.unchanged + each.corrected + each.retired == ROWS.get(name, 0)
    return {name: counts for name, counts in found.items() if any(counts)}


def other(table: str, place: int, **values: object) -> Files:
    """The files with one row changed."""
    rows = [dict(row) for row in FILES[table]]
    rows[place] |= values
    return {**FILES, table: rows}


def test_the_same_again_changes_nothing(provider: Provider) -> None:
    report = provider.load(FILES)
    assert report.unchanged and unlike(report) == {}
    assert report.changes["scores.csv"] == Changes(new=0, corrected=0, unchanged=3, retired=0)
    assert "What changed" not in report.as_text()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (other("scores", 0, total=19), {"scores.csv": (0, 1, 0)}),
        (other("attendance", 1, status="no_show", minutes=0), {"attendance.csv": (0, 1, 0)}),
        (other("followups", 0, attempted_on=day(86)), {"followups.csv": (0, 1, 0)}),
        (other("readmissions", 0, discharge_date=day(64)), {"readmissions.csv": (0, 1, 0)}),
        (other("capture", 1, to=day(41)), {"capture.csv": (0, 1, 0)}),
        (other("episodes", 1, planned_weeks=9), {"episodes.csv": (0, 1, 0)}),
        # Another key is another row.
        (other("scores", 0, assessed_on=day(3)), {"scores.csv": (1, 0, 1)}),
        # A stay that was admitted two days later: one correction, although every day of it is counted anew, as are
        # those of the person's other stay, hospital stay and window.
        (other("episodes", 0, admit_date=day(2), discharge_date=day(50), discharge_reason="completed"),
         {"episodes.csv": (0, 1, 0)}),
        (other("episodes", 0, discharge_date=day(49), discharge_reason="completed"), {"episodes.csv": (0, 1, 0)}),
        (other("episodes", 1, admit_date=day(9)), {"episodes.csv": (0, 1, 0)}),
    ],
)  # fmt: skip
def test_a_correction_is_one_row(
    provider: Provider, files: Files, expected: Mapping[str, tuple[int, int, int]]
) -> None:
    report = provider.load(files)
    assert report.published and unlike(report) == expected


def test_a_later_data_cut_corrects_nobody(provider: Provider) -> None:
    files = other("capture", 0, to=CUT + timedelta(31))
    report = provider.load(files, cut=CUT + timedelta(31))
    assert not report.unchanged and unlike(report) == {}


def test_a_window_of_somebody_who_left_long_ago_is_unchanged(tmp_path: Path) -> None:
    """Of a stay that ended over 455 days before the cut the store does not know the admission."""
    provider = Provider(tmp_path / "home")
    left: Row = {"admit_date": day(-900), "discharge_date": day(-880), "discharge_reason": "moved"}
    files: Files = {"episodes": [left], "capture": [{"from": day(-900), "to": CUT}]}
    provider.load(files)
    report = provider.load({**files, "episodes": [left, {"episode_id": "E2", "person_id": "P2"}]})
    assert report.changes == {"episodes.csv": Changes(1, 0, 1, 0), "capture.csv": Changes(0, 0, 1, 0)}


def test_a_batch_says_what_it_added_and_corrected(provider: Provider) -> None:
    batch: Files = {
        "episodes": [{"episode_id": "E4", "person_id": "P4"}],
        "scores": [{"assessed_on": day(2), "total": 1}, {"episode_id": "E4", "assessed_on": day(3)}],
    }
    report = provider.add(batch)
    assert unlike(report) == {"episodes.csv": (1, 0, 0), "scores.csv": (1, 1, 0)}
    text = report.as_text()
    assert "  scores.csv         1 new, 1 corrected, 2 unchanged\n" in text and "Retired" not in text


def test_retired_rows_are_counted_and_said(provider: Provider) -> None:
    files: Files = {**FILES, "attendance": FILES["attendance"][:5]}
    report = provider.load(files)
    assert unlike(report) == {"attendance.csv": (0, 0, 1)}
    assert "5 unchanged, 1 retired" in report.as_text() and "the former snapshot keeps them" in report.as_text()


def test_without_exact_days_a_correction_is_counted_too(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "home")
    provider.load(FILES, privacy="safe_harbor")
    report = provider.load(other("episodes", 1, admit_date=day(9)), privacy="safe_harbor")
    assert unlike(report) == {"episodes.csv": (0, 1, 0)}


# What may shrink

SHRUNK: Files = {**FILES, "attendance": FILES["attendance"][:4]}


@pytest.mark.parametrize("table", [table for table in FILES if table != "episodes"])
def test_no_file_may_go_missing(provider: Provider, table: str) -> None:
    before = provider.open().snapshot_id
    report = provider.load({name: rows for name, rows in FILES.items() if name != table})
    assert (report.published, report.batch_rule) == (False, "SHRINK_GUARD")
    assert provider.open().snapshot_id == before


def test_who_lets_data_shrink_is_noted_beside_the_key_with_the_reason(provider: Provider) -> None:
    assert provider.load(SHRUNK).batch_rule == "SHRINK_GUARD"
    assert provider.load({**FILES, "attendance": FILES["attendance"][:5]}).published  # 17 % fewer
    assert provider.load(SHRUNK, allow_shrink=True).published  # 20 % fewer than that
    smaller: Files = {**FILES, "attendance": FILES["attendance"][:2]}
    report = provider.load(smaller, allow_shrink=True, reason="double sessions removed")
    assert report.published and unlike_retired(report) == 2
    assert provider.open().facts.override == "SHRINK_GUARD"
    path = provider.key.receipt_path
    assert path is not None
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    noted = [(line["override"], line["by"] is not None, line["reason"]) for line in lines]
    assert noted == [(None, False, None)] * 3 + [("SHRINK_GUARD", True, "double sessions removed")]
    assert lines[-1]["import_date"] == str(CUT)
    # A sentence that somebody typed does not enter the store.
    assert not any(b"double sessions" in file.read_bytes() for file in provider.store.rglob("*") if file.is_file())


def unlike_retired(report: ImportReport) -> int:
    return report.changes["attendance.csv"].retired


def test_rows_of_files_in_any_order_are_the_same_content(provider: Provider) -> None:
    before = provider.open().facts.content_hash
    turned: dict[str, list[Row]] = {table: rows[::-1] for table, rows in reversed(FILES.items())}
    assert provider.load(turned).unchanged and provider.open().facts.content_hash == before


def test_referrals_and_rows_of_programs(provider: Provider) -> None:
    """Of two responses that are alike one goes; a third is another answer, so it is new."""
    response: Row = {"recommend": 4}
    files: Files = {
        **FILES,
        "referrals": [
            {"received_on": day(-31), "episode_id": "E1"},  # one day earlier
            {"referral_id": "R2", "person_id": "P2", "received_on": day(8)},  # unchanged
            {"referral_id": "R4", "person_id": "Q2", "received_on": day(20)},  # new; that of Q1 is gone
        ],
        "satisfaction": [{"invited": 9, "answered": 3}, response, {"recommend": 3}],
        "finance": [{"cost": 120}, {"period": "2026-04", "cost": 100}],
    }
    assert unlike(provider.load(files)) == {
        "referrals.csv": (1, 1, 1),
        "satisfaction.csv": (1, 1, 1),
        "finance.csv": (1, 1, 0),
    }


def test_a_moved_stay_does_not_correct_its_referral(provider: Provider) -> None:
    files: Files = {**FILES, "episodes": [{**FILES["episodes"][0], "admit_date": day(-1)}, *FILES["episodes"][1:]]}
    assert unlike(provider.load(files)) == {"episodes.csv": (0, 1, 0)}
