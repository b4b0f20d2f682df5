"""Privacy modes and their papers, and the table that says how many stored episodes are alike."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
from raw_files import CUT, Provider, made_up

from analytics.__main__ import main
from analytics.errors import UsageProblem
from analytics.intake.papers import LONGEST_REFERENCE, checked_paper
from analytics.intake.relative import PrivacyMode
from analytics.measures.catalog import find
from analytics.measures.types import Cohort
from analytics.reports.frame import foot
from analytics.reports.tables import csv_bytes
from analytics.session import Session, View, local_viewer
from analytics.store.facts import Paper, PaperGap, paper_gap

AGREEMENT = Paper("agreement", "DUA 2026-014, in the compliance folder")


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


def view(provider: Provider) -> View:
    return Session(provider.store).view(local_viewer(), "explore")


@pytest.mark.parametrize(
    ("mode", "options", "says"),
    [
        ("limited", {"certificate": "C-7", "expires": date(2027, 1, 1)}, "takes --agreement TEXT"),
        ("expert", {"agreement": "DUA 7"}, "takes --certificate TEXT --expires DATE"),
        ("expert", {"certificate": "C-7"}, "has a last day"),
        ("limited", {"agreement": "DUA 7", "expires": date(2027, 1, 1)}, "has a last day"),
        ("safe_harbor", {"agreement": "DUA 7"}, "needs no paper"),
        ("synthetic", {"agreement": "DUA 7"}, "needs no paper"),
        ("limited", {"agreement": "  "}, "1 to 200 characters"),
        ("limited", {"agreement": "x" * (LONGEST_REFERENCE + 1)}, "1 to 200 characters"),
        ("limited", {"agreement": "DUA\x1b[31m 7"}, "control characters"),
        ("limited", {"agreement": "DUA\u202e7"}, "control characters"),
        ("limited", {"agreement": "Smith, John"}, "identifies somebody"),
        ("limited", {"agreement": "ask ann.lee@example.org"}, "identifies somebody"),
    ],
)
def test_a_wrong_paper_is_wrong_usage(mode: str, options: dict[str, object], says: str) -> None:
    given: dict[str, object] = {"agreement": None, "certificate": None, "expires": None} | options
    with pytest.raises(UsageProblem, match=says) as problem:
        checked_paper(mode, **given)  # type: ignore[arg-type]
    assert "Smith" not in str(problem.value)


def test_a_paper_that_fits_its_mode_is_taken() -> None:
    assert checked_paper("limited", " DUA 2026-014 ", None, None) == Paper("agreement", "DUA 2026-014")
    assert checked_paper("expert", None, "C-7", date(2027, 1, 31)) == Paper("certificate", "C-7", "2027-01-31")
    assert checked_paper("expert", None, None, None) is None
    assert checked_paper("safe_harbor", None, None, None) is None


@pytest.mark.parametrize(
    ("mode", "paper", "gap"),
    [
        ("synthetic", None, ""),
        ("safe_harbor", None, ""),
        ("limited", None, "agreement_missing"),
        ("limited", AGREEMENT, ""),
        ("expert", None, "certificate_missing"),
        ("expert", Paper("certificate", "C-7", "2026-06-29"), "certificate_expired"),
        ("expert", Paper("certificate", "C-7", "2026-06-30"), ""),  # the last day is a valid one
    ],
)
def test_what_is_missing_depends_on_mode_paper_and_day(mode: str, paper: Paper | None, gap: PaperGap) -> None:
    assert paper_gap(mode, paper, date(2026, 6, 30)) == gap


def test_without_its_paper_everything_that_is_shown_says_so(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    report = provider.load(made_up(3, 12))
    assert (report.published, report.warnings, report.paper) == (True, ["MODE_UNDOCUMENTED"], None)
    assert "--agreement TEXT (limited)" in report.as_text()
    assert not provider.open().facts.is_documented(CUT)
    shown = view(provider).result(find("completion"), Cohort())
    assert foot(shown).endswith("limited data set, agreement not recorded")
    assert "limited data set - agreement not recorded" in csv_bytes(shown).decode()
    assert main(["measure", "completion", "--store", str(provider.store)]) == 0
    assert "limited data set, agreement not recorded" in capsys.readouterr().err


def test_with_its_paper_it_is_in_manifest_and_report_and_the_warning_is_gone(provider: Provider) -> None:
    files = provider.write(made_up(3, 12))
    before = provider.load(files)
    report = provider.load(files, paper=AGREEMENT)
    assert (report.warnings, report.paper) == ([], AGREEMENT)
    # A snapshot never changes, so the same rows under a paper are another one.
    assert report.snapshot_id != before.snapshot_id
    assert json.loads(report.as_json())["paper"]["reference"] == AGREEMENT.reference
    assert AGREEMENT.reference in report.as_text()
    facts = provider.open().facts
    assert facts.paper == AGREEMENT
    assert facts.is_documented(CUT)
    again = provider.load(files, paper=AGREEMENT)
    assert (again.unchanged, again.paper) == (True, AGREEMENT)
    shown = view(provider).result(find("completion"), Cohort())
    assert foot(shown).endswith("limited data set, not de-identified")


def test_a_certificate_that_has_ended_warns_and_documents_nothing(provider: Provider) -> None:
    ended = Paper("certificate", "C-7", "2026-06-29")
    report = provider.load(made_up(3, 12), privacy="expert", paper=ended)
    assert (report.published, report.warnings) == (True, ["CERTIFICATE_EXPIRED"])
    assert "valid to 29 June 2026" in report.as_text()
    facts = provider.open().facts
    assert [facts.is_documented(day) for day in (date(2026, 6, 29), date(2026, 6, 30))] == [True, False]


def test_the_command_line_takes_papers_and_refuses_wrong_ones(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = provider.write(made_up(3, 12))
    words = [
        "import",
        str(folder),
        "--store",
        str(provider.store),
        "--key",
        str(provider.key_file),
        "--data-cut",
        "2026-06-30",
    ]
    assert main([*words, "--privacy", "safe_harbor", "--agreement", "DUA 7"]) == 2
    assert "needs no paper" in capsys.readouterr().err
    assert main([*words, "--privacy", "expert", "--certificate", "C-7", "--expires", "2099-12-31"]) == 0
    assert "under certificate C-7, valid to 31 December 2099" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["limited", "expert", "safe_harbor", "synthetic"])
def test_the_k_table_is_that_of_the_published_statement(provider: Provider, mode: PrivacyMode) -> None:
    report = provider.load(made_up(4, 60), privacy=mode)
    state = provider.store / "batches" / str(report.snapshot_id) / "episode.parquet"
    with duckdb.connect() as connection:
        found = connection.execute(
            "select min(n) k, min(l) l, coalesce(sum(n) filter (n < 11), 0) / sum(n) share_small from ("
            "select count(*) n, count(distinct discharge_reason) l from read_parquet($state) "
            "group by admit_period, age_band, gender, primary_condition)",
            {"state": str(state)},
        ).fetchone()
        people = connection.execute(f"select count(*), count(distinct person_id) from '{state}'").fetchone()
    assert found is not None
    last = report.anonymity[-1]
    assert last.columns == ("admit_period", "age_band", "gender", "primary_condition")
    assert (last.k, last.l, last.share_small) == (found[0], found[1], pytest.approx(found[2], abs=0.0001))
    assert report.data is not None
    assert (report.data.episodes, report.data.people) == people
    # One known fact more never makes groups larger.
    assert [row.k for row in report.anonymity] == sorted((row.k for row in report.anonymity), reverse=True)
    assert [row.share_small for row in report.anonymity] == sorted(row.share_small for row in report.anonymity)
    assert provider.open().facts.anonymity == report.anonymity
    assert f"{last.share_small:.0%} of the episodes have fewer than 11 like them" in " ".join(report.as_text().split())


def test_days_on_which_no_program_had_a_session_are_counted(provider: Provider) -> None:
    days = (date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 9))
    missed = {"session_date": date(2026, 3, 5), "status": "no_show", "minutes": 0}
    report = provider.load({"episodes": [{}], "attendance": [*({"session_date": day} for day in days), missed]})
    assert report.data is not None
    assert (report.data.quiet_days, report.data.session_span) == (5, 8)
    assert "On 5 of the 8 days from the first session to the last no program had one" in " ".join(
        report.as_text().split()
    )
