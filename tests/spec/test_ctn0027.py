"""Real input: the CTN-0027 trial through its mapping, against counts by hand from the raw files in plain Python.

Oracle: the raw CSV files in ../shared/real/ctn0027, counted here without the product; published: 74 % and 46 %.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

from analytics.intake.deidentify import new_key, read_key
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.mapping import load_mapping
from analytics.intake.report import ImportReport
from analytics.measures import catalog, evaluate
from analytics.measures.types import ALL, Cohort, Stratifier
from analytics.settings import DATA_FOLDER
from analytics.statistics.survival import log_rank
from analytics.store.snapshot import Snapshot, open_current


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def raw(shared: Path) -> Path:
    return shared / "real" / "ctn0027"


@pytest.fixture(scope="module")
def imported(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, Snapshot]:
    home = tmp_path_factory.mktemp("trial")
    new_key(home / "trial.key")
    day = date(2026, 1, 1)  # study days: the cut is not used
    store = home / "store"
    key = read_key(home / "trial.key", store)
    mapping = load_mapping(DATA_FOLDER / "mappings" / "ctn0027.toml")
    report = run_import(ImportRequest(raw, store, "limited", key, day, day, mapping))
    return report, open_current(store)


@pytest.fixture(scope="module")
def by_hand(raw: Path) -> dict[str, dict[str, float]]:
    """Arm, admission, last kept visit of weeks 0 to 23 and completion of each randomised person."""
    people: dict[str, dict[str, float]] = {}
    for row in rows(raw, "randomization.csv"):
        people[row["who"]] = {
            "methadone": row["treatment"] == "Methadone", "admit": int(row["when"]), "last": -1, "completed": 0,
        }  # fmt: skip
    for row in rows(raw, "visit.csv"):
        if row["who"] not in people or row["visit"] == "BASELINE" or not row["when"]:
            continue
        week = int(row["visit"].removeprefix("WK"))
        if week <= 23:
            person = people[row["who"]]
            person["last"] = max(person["last"], int(row["when"]))
            person["completed"] = max(person["completed"], week in (21, 22, 23))
    return people


def test_people_visits_and_tests_add_up(imported: tuple[ImportReport, Snapshot], raw: Path) -> None:
    report, snapshot = imported
    assert report.published
    for file in report.files.values():
        assert file.accepted + file.rejected_count == file.records_read
    left_out = defaultdict(int)
    for words, count in report.left_out.items():
        left_out[words.split(":", 1)[0]] += count
    # 1,920 people were screened; 651 of them were not randomised: counted, not lost.
    assert report.left_out["everybody.csv: people screened and not randomised"] == 651
    assert snapshot.facts.counts["episode"] + left_out["everybody.csv"] == len(rows(raw, "everybody.csv")) == 1920
    assert report.sources["visit.csv"] == len(rows(raw, "visit.csv"))
    assert report.sources["uds.csv"] == len(rows(raw, "uds.csv"))


def test_completion_by_arm_equals_the_count_by_hand(
    imported: tuple[ImportReport, Snapshot], by_hand: dict[str, dict[str, float]]
) -> None:
    (result,) = evaluate([catalog.find("completion")], imported[1], Cohort(), Stratifier.THERAPY)
    for arm, is_methadone, published in (("methadone", True, 0.74), ("buprenorphine", False, 0.46)):
        people = [person for person in by_hand.values() if person["methadone"] == is_methadone]
        estimate = result.estimates[arm]
        assert estimate.denominator == len(people)
        assert estimate.numerator == sum(person["completed"] for person in people)
        assert estimate.value == pytest.approx(published, abs=0.005)
    assert (result.estimates["methadone"].numerator, result.estimates["methadone"].denominator) == (390, 529)
    assert (result.estimates["buprenorphine"].numerator, result.estimates["buprenorphine"].denominator) == (339, 740)


def test_retention_by_arm_and_its_log_rank_equal_the_stays_by_hand(
    imported: tuple[ImportReport, Snapshot], by_hand: dict[str, dict[str, float]]
) -> None:
    (result,) = evaluate([catalog.find("retention_km")], imported[1], Cohort(), Stratifier.THERAPY)
    stays = [person["last"] - person["admit"] for person in by_hand.values()]
    arms = [bool(person["methadone"]) for person in by_hand.values()]
    # Nobody is censored: the share still in on day 100 is a plain count.
    for arm, is_methadone in (("methadone", True), ("buprenorphine", False)):
        own = [stay for stay, each in zip(stays, arms, strict=True) if each == is_methadone]
        curve = result.curves[arm]
        still_in = [value for day, value in zip(curve.time, curve.values["still in"], strict=True) if day <= 100][-1]
        assert still_in == pytest.approx(sum(stay > 100 for stay in own) / len(own), abs=1e-12)
    expected = log_rank(stays, [True] * len(stays), arms)
    (test,) = result.tests
    assert test.statistic == pytest.approx(expected.statistic, rel=1e-12)


def test_urine_by_arm_counts_kept_visits_without_a_positive_as_negative(
    imported: tuple[ImportReport, Snapshot], raw: Path, by_hand: dict[str, dict[str, float]]
) -> None:
    positive = {
        (row["who"], int(row["when"]))
        for row in rows(raw, "uds.csv")
        if row["who"] in by_hand
    }  # fmt: skip
    visited = {
        (row["who"], int(row["when"]))
        for row in rows(raw, "visit.csv")
        if row["who"] in by_hand and row["when"]
    }  # fmt: skip
    (result,) = evaluate([catalog.find("uds_negative")], imported[1], Cohort(), Stratifier.THERAPY)
    for arm, is_methadone in (("methadone", True), ("buprenorphine", False)):
        # Counted are tests from randomisation to the last kept visit.
        days = [
            ((who, day) not in positive)
            for who, day in positive | visited
            if by_hand[who]["methadone"] == is_methadone and by_hand[who]["admit"] <= day <= by_hand[who]["last"]
        ]
        estimate = result.estimates[arm]
        assert (estimate.numerator, estimate.denominator) == (sum(days), len(days))
        assert estimate.ci_low < estimate.value < estimate.ci_high


def test_what_the_source_does_not_know_is_not_known(imported: tuple[ImportReport, Snapshot]) -> None:
    (result,) = evaluate([catalog.find("completion")], imported[1], Cohort(), Stratifier.MODALITY)
    assert list(result.estimates) == [ALL, "not known"]
    assert result.estimates["not known"].denominator == 1269


def tables_of_the_document(snapshot: Snapshot) -> list[str]:
    """The rows of docs/real-data.md, as the product gives them today."""
    measures = [catalog.find("completion"), catalog.find("uds_negative")]
    completion, urine = evaluate(measures, snapshot, Cohort(), Stratifier.THERAPY)
    (staying,) = evaluate([catalog.find("retention_km")], snapshot, Cohort(), Stratifier.THERAPY)
    lines = []
    for words, estimates in (
        ("completed", completion.estimates),
        ("tests with a result that were negative", urine.estimates),
        *urine.variants.items(),
    ):
        for arm in ("methadone", "buprenorphine"):
            e = estimates[arm]
            if not e.has_value:
                continue  # the trial's files do not say which tests were scheduled and which at random
            lines.append(
                f"| {words} | {arm} | {e.numerator:,} of {e.denominator:,} | {100 * e.value:.1f} % | "
                f"{100 * e.ci_low:.1f} to {100 * e.ci_high:.1f} % |"
            )
    for arm in ("methadone", "buprenorphine"):
        mean = urine.estimates[arm].details["mean_of_episodes"]
        lines.append(f"| mean of the people's own shares | {arm} | | {100 * mean:.1f} % | |")
    for arm in ("methadone", "buprenorphine"):
        e = staying.estimates[arm]
        for day in (30, 60, 90):
            value, low, high = (e.details[f"still_in_{day}{end}"] for end in ("", "_low", "_high"))
            doubt = f"{100 * low:.1f} to {100 * high:.1f} %"
            lines.append(f"| still in on day {day} | {arm} | {100 * value:.1f} % | {doubt} |")
        lines.append(f"| half had left by day | {arm} | {e.value:.0f} | {e.ci_low:.0f} to {e.ci_high:.0f} |")
    (test,) = staying.tests
    lines.append(f"chi-square {test.statistic:.2f} on {test.degrees_of_freedom} degree of freedom")
    return lines


def test_the_document_says_what_the_product_says(imported: tuple[ImportReport, Snapshot]) -> None:
    document = (DATA_FOLDER.parent / "docs" / "real-data.md").read_text(encoding="utf-8")
    for line in tables_of_the_document(imported[1]):
        assert line in document
