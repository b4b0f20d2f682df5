"""Every worked example of the measure catalogue has a test that names it, or stands here with the reason why not."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from analytics.measures import ALL, evaluate, find
from analytics.settings import PROJECT_ROOT
from analytics.store.outcomes import build_outcomes
from tests.reference.proofs_published import percentages
from tests.reference.reference_results import example
from tests.spec.built_outcomes import outcome
from tests.spec.outcome_tables import SmallSnapshot, one, small_snapshot
from tests.spec.row_tables import row_tables

WITHOUT_A_TEST = {
    "gpra_window": "windows are days after leaving; nothing computes a calendar window from the intake date",
    "gpra_window_31": "windows are days after leaving; nothing computes a calendar window from the intake date",
    "rtm": "regression to the mean is a sentence on the cards, not a computed figure",
    "suppress": "there is no export to outsiders; inside, groups of fewer than 11 carry a mark (test_disclosed.py)",
}


def named(text: str) -> set[str]:
    """The words by which a test names examples: after `ex:`, in a sentence about the catalogue, or when it reads them.

    A sentence ends with its line; the names in it are told from other words by being ids.
    """
    said = re.findall(r"(?:\bex: |measure_examples\.json)(.*)", text)
    read = re.findall(r"\bexamples?(?:\(\w+, |\[)\"(\w+)\"", text)
    return {*read, *(word for line in said for word in re.findall(r"\w+", line))}


def test_every_example_is_tested_or_listed_with_the_reason(shared: Path) -> None:
    catalogue = json.loads((shared / "measure_examples.json").read_text(encoding="utf-8"))["examples"]
    every = {each["id"] for each in catalogue}
    assert len(every) == 80
    files = (PROJECT_ROOT / "tests").glob("*/test_*.py")
    found = {name for file in files for name in named(file.read_text(encoding="utf-8"))}
    assert every - found - set(WITHOUT_A_TEST) == set(), "has neither a test nor a reason"
    assert found & set(WITHOUT_A_TEST) == set(), "has a test by now: take it off the list"
    assert set(WITHOUT_A_TEST) <= every


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("# ex: one, two", {"one", "two"}),
        ('case = example(shared, "one")', {"one"}),
        ('examples["two"]["expected"]', {"two"}),
        ('assert table["one"]', set()),
    ],
)
def test_a_name_counts_where_an_example_is_meant(text: str, ids: set[str]) -> None:
    assert named(text) == ids


def test_the_national_figures_of_2024_25(shared: Path) -> None:
    case = example(shared, "nhs_2024_25")
    given, theirs = case["inputs"], case["expected"]
    line = {"finished_course_treatment": given["finished"], **given}
    found = {name: shares["England"] for name, shares in percentages({"England": line}).items()}
    for name in ("recovery", "reliable_recovery", "improvement", "deterioration"):
        assert found[name].percent == pytest.approx(100 * theirs[name], abs=1e-4), name
    known = given["improvement"] + given["no_reliable_change"] + given["deterioration"]
    assert given["finished"] - known == theirs["unclassified"]
    assert found["no_reliable_change"].numerator == given["no_reliable_change"]
    # Over those at caseness the figure would be another, and not the published 50.5.
    assert round(found["recovery"].percent, 1) == 50.5
    assert round(100 * theirs["recovery_if_at_caseness_denominator"], 1) == 50.6


def test_completion_in_the_national_figures_of_2004(shared: Path) -> None:
    case = example(shared, "teds_2004_iop")
    reasons = {
        "completed": "completed", "transferred": "transferred_lateral", "dropped": "lost_contact",
        "terminated": "administrative", "other": "moved",
    }  # fmt: skip
    snapshot = small_snapshot([{"discharge_reason": reason} for reason in reasons.values()])
    snapshot.connection.execute("create table kind as from episode_outcome")
    snapshot.connection.execute("delete from episode_outcome")
    for number, words in enumerate(reasons, start=1):
        snapshot.connection.execute(
            "insert into episode_outcome select kind.* from kind, range($people) where episode_id = $kind",
            {"people": case["inputs"][words], "kind": number},
        )
    (result,) = evaluate([find("completion")], snapshot, persons=False)
    assert result.estimates[ALL].denominator == 114_440
    assert result.estimates[ALL].value == pytest.approx(case["expected"]["completed"], abs=1e-6)
    any_transfer = result.variants["TEDS positive (any transfer)"][ALL]
    assert any_transfer.value == pytest.approx(case["expected"]["completed_or_transferred"], abs=1e-6)


def test_a_course_goes_on_over_a_short_gap(shared: Path) -> None:
    # ex: episode_merge: PHP, three days, IOP; forty-five days later IOP again. Days from the first admission.
    stays = [(0, 32), (35, 53), (133, 32)]
    rows = [{"person_id": 1, "start_day": start, "los_days": stay} for start, stay in stays]
    theirs = example(shared, "episode_merge")["expected"]
    assert outcome("course", episode=rows) == theirs["course_of_stay"]
    assert outcome("is_course_last", episode=rows).count(True) == theirs["courses"]
    assert outcome("days_to_next_episode", episode=rows) == [3, 45, None]


def test_coming_back_among_the_twelve_episodes(shared: Path) -> None:
    # The example is the form of 90 days; ours is of 180, with the same days 1 to 30 left to the course.
    data = example(shared, "m12_dataset")["inputs"]
    cut = date.fromisoformat(data["data_cut"])
    first: dict[str, date] = {}
    rows = []
    for row in data["rows"]:
        admitted = date.fromisoformat(row["admit_date"])
        left = date.fromisoformat(row["discharge_date"]) if row["discharge_date"] else None
        start = first.setdefault(row["person_id"], admitted)
        rows.append(
            {
                "person_id": int(row["person_id"].removeprefix("P")),
                "start_day": (admitted - start).days,
                "los_days": None if left is None else (left - admitted).days,
                "observed_days": (cut - admitted).days,
            }
        )
    connection = row_tables(episode=rows)
    build_outcomes(connection)
    of_90_days = replace(
        find("return_to_program"),
        success="coalesce(days_to_return between 31 and 90, false)",
        horizon="observed_days >= los_days + 90",
    )
    found = one(SmallSnapshot(connection), of_90_days).estimates[ALL]
    theirs = example(shared, "m12_return")["expected"]["rate"]
    assert (found.numerator, found.denominator) == (theirs["x"], theirs["n"])
    assert [found.ci_low, found.ci_high] == pytest.approx(theirs["wilson95"], abs=1e-6)
