"""Answers item by item: every row is accepted or set aside, and totals follow from the answers as the form says."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics.errors import ImportProblem
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.mapping import load_mapping
from analytics.intake.report import ImportReport
from tests.spec.raw_files import CUT, Provider, Row, write_files

ADMITTED = date(2026, 1, 5)
# total, item 9, prorated, and whence, by instrument and day
SCORES = "select instrument, day, total, item_9, is_prorated, given_as from score order by all"


def day(number: int) -> date:
    return ADMITTED + timedelta(number)


def answers(instrument: str, given: Mapping[Any, Any] | list[Any], on: int = 0) -> list[Row]:
    """Rows of one questionnaire: a list is items 1, 2, …; None is an empty cell."""
    pairs = given.items() if isinstance(given, Mapping) else enumerate(given, start=1)
    return [{"instrument": instrument, "assessed_on": day(on), "item": item, "value": value} for item, value in pairs]


@pytest.fixture
def clinic(tmp_path: Path) -> Provider:
    return Provider(tmp_path / "home")


def rules(report: ImportReport, file: str = "score_items.csv") -> dict[int | None, tuple[str | None, str]]:
    assert report.files[file].accepted + report.files[file].rejected_count == report.files[file].records_read
    return {each.row: (each.column, each.rule) for each in report.files[file].rejected}


def test_the_worked_examples_are_scored_as_the_catalogue_scores_them(clinic: Provider, shared: Path) -> None:
    # Oracle: measure_examples.json phq_prorate, dast_score, who5_score, bam_score, csq8, cssrs.
    listed = json.loads((shared / "measure_examples.json").read_text(encoding="utf-8"))["examples"]
    examples = {each["id"]: each for each in listed}
    yes = set(examples["dast_score"]["inputs"]["yes"])
    bam = {name.removeprefix("i"): value for name, value in examples["bam_score"]["inputs"].items()}
    rows = [
        *answers("PHQ-9", examples["phq_prorate"]["inputs"]["items"]),
        *answers("DAST-10", ["yes" if item in yes else "no" for item in range(1, 11)]),
        *answers("WHO-5", examples["who5_score"]["inputs"]["pre"]),
        *answers("WHO-5", examples["who5_score"]["inputs"]["post"], on=28),
        *answers("BAM", bam),
        *answers("CSQ-8", examples["csq8"]["inputs"]["items"]),
        # Yes to 1, 2 and to behaviour longer ago: moderate. No to 1 and 2, recent behaviour: high, nothing else asked.
        *answers("C-SSRS", {1: "yes", 2: "yes", 3: "no", 4: "no", 5: "no", "6 lifetime": "yes", "6 recent": "no"}),
        *answers("C-SSRS", {1: "no", 2: "no", "6_recent": "yes"}, on=28),
    ]
    report = clinic.load({"episodes": [{}], "score_items": rows})
    assert report.published and rules(report) == {}
    expected = {name: each["expected"] for name, each in examples.items()}
    assert clinic.query("select instrument, day, total, is_prorated from score order by all") == [
        *[(f"bam_{domain}", 0, expected["bam_score"][domain], False) for domain in ("protection", "risk", "use")],
        ("csq8", 0, expected["csq8"]["total"], True),
        ("cssrs_level", 0, 3, False),
        ("cssrs_level", 28, 6, False),
        ("dast10", 0, expected["dast_score"]["total"], False),
        ("phq9", 0, expected["phq_prorate"]["total"], True),
        ("who5", 0, expected["who5_score"]["pre_pct"], False),
        ("who5", 28, expected["who5_score"]["post_pct"], False),
    ]
    band = "select band from score join instrument using (instrument) where total between band_low and band_high "
    assert clinic.query(f"{band} and instrument = 'cssrs_level' order by day") == [
        (expected["cssrs"]["first"]["band"],),
        (expected["cssrs"]["second"]["band"],),
    ]
    assert clinic.query("select count(*) from score_item") == [(len(rows),)]


# The answers, the total (None where there is none), and whether it was filled up.
BY_HAND: list[tuple[str, Any, float | None, bool]] = [
    ("PHQ-9", [3] * 9, 27, False),
    ("PHQ-9", [1, 1, 1, 1, 1, 1, 1, None, None], 9, True),  # 7 × 9 / 7
    ("PHQ-9", [1, 1, 1, 1, 1, 1, None, None, None], None, False),  # three are missing
    ("GAD-7", [1, 0, 0, 1, 0, 1, None], 4, True),  # 3 × 7 / 6 = 3.5: half a point is rounded up
    ("GAD-7", [1, 0, 0, 1, 0, None, None], None, False),
    ("PHQ-8", [1, 1, 1, 1, 1, 1, 1, None], None, False),  # complete forms only
    ("AUDIT", [1, 1, 1, 1, 1, 1, 1, 1, 2, 4], 14, False),
    ("AUDIT-C", [4, 4, None], None, False),
    ("WSAS", [8, 8, 8, 8, 8], 40, False),
    ("CSQ-8", [1] * 8, 8, False),
    # 2 of the items B lack: 3 answered give 3, so 5; C 2, D 7, E 6: together 20.
    ("PCL-5", [1, 1, 1, None, None] + [1] * 15, 20, True),
    # Cluster C was not answered at all, so its mean is not known, though two missing of twenty are few.
    ("PCL-5", [1] * 5 + [None, None] + [1] * 13, None, False),
    # B: 4 of 5, mean 1/4: 5/4. D: 6 of 7, 6 × 7/6 = 7. C 0, E 0. 8.25 → 8 (over all items it would be 7.8).
    ("PCL-5", [1, 0, 0, 0, None, 0, 0, 1, 1, 1, 1, 1, 1, None, 0, 0, 0, 0, 0, 0], 8, True),
    ("C-SSRS", {1: 0, 2: 0, "6_lifetime": 0}, 0, False),  # what is not asked after a no is a no
    ("C-SSRS", {1: 1, 2: 1, 3: 1, 4: 0, 5: 0, "6_lifetime": 1}, None, False),  # recent behaviour is not known
    ("C-SSRS", {1: 1, 2: 1, 3: 1, "6_recent": 1}, 6, False),  # nothing that is missing could be higher
    ("BAM-IOP", {4: 4, 5: 4, 6: None}, None, False),
]


def test_totals_by_hand(clinic: Provider) -> None:
    rows = [row for week, (form, given, _, _) in enumerate(BY_HAND) for row in answers(form, given, on=7 * week)]
    report = clinic.load({"episodes": [{}], "score_items": rows})
    assert report.published and rules(report) == {}
    expected = [(7 * week, each[2], each[3]) for week, each in enumerate(BY_HAND) if each[2] is not None]
    assert clinic.query("select day, total, is_prorated from score order by day") == expected
    words = f"{len(BY_HAND) - len(expected)} of {len(BY_HAND)} questionnaires without a total."
    warnings = [(each.rule, each.sentence) for each in report.files["score_items.csv"].warnings]
    assert warnings == [("ITEMS_MISSING", words)]


def test_a_domain_has_its_total_though_another_has_none_and_the_report_counts_it(clinic: Provider) -> None:
    bam = {4: 1, 5: 1, 6: 0, 1: 1, 2: 1, 3: 1, 8: 1, 11: 1, 15: None, "7a": 4, "17": 0}
    report = clinic.load({"episodes": [{}], "score_items": answers("BAM", bam)})
    assert clinic.query(SCORES) == [("bam_use", 0, 2, None, False, "items")]
    assert "1 of 2 questionnaires without a total." in " ".join(report.as_text().split())
    assert {"ITEMS_MISSING"} == {
        each["rule"] for each in json.loads(report.as_json())["files"]["score_items.csv"]["warnings"]
    }


def test_item_9_is_kept_as_answered_and_never_filled_up(clinic: Provider) -> None:
    rows = answers("PHQ-9", [1] * 8 + [2]) + answers("PHQ-9", [1] * 8 + [None], on=14)
    clinic.load({"episodes": [{}], "score_items": rows})
    assert clinic.query(SCORES) == [("phq9", 0, 10, 2, False, "items"), ("phq9", 14, 9, None, True, "items")]


def test_profile_nhs_takes_complete_forms_only(clinic: Provider) -> None:
    rows = answers("PHQ-9", [2] * 8 + [None]) + answers("PHQ-9", [1] * 9, on=14)
    clinic.load({"episodes": [{}], "score_items": rows})
    # By default the baseline is the filled-up total of day 0; the national construction begins with day 14.
    assert clinic.query("select first, nhs_first from score_outcome where instrument = 'phq9'") == [(18, 9)]


ROWS: list[tuple[Row, tuple[str, str] | None]] = [
    ({"item": "Item 1"}, None),
    ({"item": "q02"}, None),
    ({"item": "3.0"}, None),
    ({"item": 10}, ("item", "ITEM_UNKNOWN")),
    ({"item": "total"}, ("item", "ITEM_UNKNOWN")),
    ({"item": None}, ("item", "REQUIRED")),
    ({"item": 4, "value": 4}, ("value", "ITEM_RANGE")),
    ({"item": 4, "value": -1}, ("value", "ITEM_RANGE")),
    ({"item": 4, "value": 1.5}, ("value", "ITEM_RANGE")),
    ({"item": 4, "value": "often"}, ("value", "BAD_NUMBER")),
    ({"item": 4, "value": "yes"}, ("value", "BAD_NUMBER")),  # a PHQ-9 item has four answers
    ({"item": 4, "value": "N/A"}, None),
    ({"instrument": "AUDIT", "item": 9, "value": 3}, ("value", "ITEM_RANGE")),  # scores 0, 2 or 4
    ({"instrument": "C-SSRS", "item": 6, "value": 1}, ("item", "ITEM_UNKNOWN")),  # lifetime or recent?
    ({"instrument": "OQ-45"}, ("instrument", "ITEMS_NOT_SCORED")),
    ({"instrument": "ORS"}, ("instrument", "ITEMS_NOT_SCORED")),
    ({"instrument": "BDI-II"}, ("instrument", "ITEMS_NOT_SCORED")),
    ({"instrument": "70221-7"}, ("instrument", "OTHER_FORM")),
    ({"instrument": "PCL-C"}, ("instrument", "OTHER_FORM")),
    ({"instrument": "SPIN"}, ("instrument", "BAD_ENUM")),
    ({"instrument": "BAM Use", "item": 4}, ("instrument", "BAD_ENUM")),  # the form is the BAM
    ({"instrument": "44249-1", "item": 5}, None),  # LOINC: the panel of the PHQ-9
    ({"episode_id": "E9"}, ("episode_id", "FK_MISSING")),
    ({"assessed_on": "05/01/2026"}, ("assessed_on", "DATE_FORMAT")),
    ({"assessed_on": "2026-02-30"}, ("assessed_on", "DATE_INVALID")),
    ({"assessed_on": CUT + timedelta(1)}, ("assessed_on", "DATE_FUTURE")),
    ({"assessed_on": day(-1000)}, ("assessed_on", "DATE_RANGE")),
    ({"item": 6, "value": 1}, ("episode_id", "DUPLICATE_CONFLICT")),
    ({"item": "06", "value": 2}, ("episode_id", "DUPLICATE_CONFLICT")),
    ({"item": 7, "value": 1}, None),
    ({"item": "item 7", "value": 1}, ("episode_id", "DUPLICATE_EXACT")),
]


def test_every_row_is_accepted_or_set_aside_by_a_rule(clinic: Provider) -> None:
    rows = [{"assessed_on": day(0), **row} for row, _ in ROWS]
    report = clinic.load({"episodes": [{}], "score_items": rows})
    assert report.published
    assert rules(report) == {place: rule for place, (_, rule) in enumerate(ROWS, start=1) if rule is not None}
    # item 1, 2, 3, 4 (not answered), 5 and 7
    assert clinic.query("select item, value from score_item order by item") == [
        ("1", 0), ("2", 0), ("3", 0), ("4", None), ("5", 0), ("7", 1),
    ]  # fmt: skip


def test_a_wrong_code_is_refused_as_a_total_too_with_the_reason(clinic: Provider) -> None:
    totals = [{"instrument": "70221-7", "assessed_on": day(0), "total": 40},
              {"instrument": "75626-2", "assessed_on": day(0), "total": 12},
              {"instrument": "75624-7", "assessed_on": day(0), "total": 13}]  # fmt: skip
    report = clinic.load({"episodes": [{}], "scores": totals})
    assert rules(report, "scores.csv") == {1: ("instrument", "OTHER_FORM")}
    assert "LOINC 70221-7 is the PCL-C of DSM-IV, not the PCL-5" in " ".join(report.as_text().split())
    assert clinic.query("select instrument, total from score order by 1") == [("audit", 13), ("audit_c", 12)]


def test_a_total_that_agrees_with_the_answers_is_one_score(clinic: Provider) -> None:
    phq9 = answers("PHQ-9", [1] * 9)
    given = {"assessed_on": day(0), "total": 9, "shared_with_person": True}
    assert clinic.load({"episodes": [{}], "scores": [given], "score_items": phq9}).published
    assert clinic.query(SCORES) == [("phq9", 0, 9, 1, False, "both")]
    assert clinic.query("select shared_with_person from score") == [(True,)]


@pytest.mark.parametrize("total", [{"total": 10}, {"total": 9, "item_9": 0}])
def test_a_total_that_contradicts_the_answers_takes_both_out(clinic: Provider, total: Row) -> None:
    rows = answers("PHQ-9", [1] * 9) + answers("GAD-7", [1] * 7)
    scores = [{"assessed_on": day(0), **total}, {"assessed_on": day(14), "total": 5}]
    report = clinic.load({"episodes": [{}], "scores": scores, "score_items": rows})
    assert report.published
    assert rules(report, "scores.csv") == {1: ("total", "ITEMS_CONTRADICT")}
    assert rules(report) == {row: ("value", "ITEMS_CONTRADICT") for row in range(1, 10)}
    assert clinic.query("select instrument, day, given_as from score order by all") == [
        ("gad7", 0, "items"), ("phq9", 14, "total"),
    ]  # fmt: skip
    assert clinic.query("select rule, count(*) from quarantine group by 1") == [("ITEMS_CONTRADICT", 10)]


def test_a_contradiction_about_one_domain_leaves_the_others(clinic: Provider) -> None:
    rows = answers("BAM", {4: 1, 5: 1, 6: 1} | dict.fromkeys((1, 2, 3, 8, 11, 15), 2))
    scores = [{"instrument": "BAM Use", "assessed_on": day(0), "total": 5}]
    report = clinic.load({"episodes": [{}], "scores": scores, "score_items": rows})
    assert set(rules(report)) == {1, 2, 3}
    assert clinic.query(SCORES) == [("bam_risk", 0, 12, None, False, "items")]


# --- later batches --------------------------------------------------------------------------------------------------


def test_a_later_answer_scores_its_questionnaire_anew_as_a_full_import_would(tmp_path: Path) -> None:
    first = answers("PHQ-9", [1] * 9) + answers("PHQ-9", [2] * 9, on=14)
    corrected = answers("PHQ-9", {3: 3})
    apart, whole = Provider(tmp_path / "apart"), Provider(tmp_path / "whole")
    whole.key_file.write_bytes(apart.key_file.read_bytes())
    apart.load({"episodes": [{}], "score_items": first})
    before = apart.open().snapshot_id
    report = apart.add({"score_items": corrected})
    assert report.published and not report.unchanged
    assert apart.query("select day, total from score order by day") == [(0, 11), (14, 18)]
    assert apart.query("select value from score_item where day = 0 and item = '3'") == [(3,)]
    assert apart.query("select score, score_item from collected") == [(True, True)]
    whole.load({"episodes": [{}], "score_items": [row for row in first if row != first[2]] + corrected})
    assert apart.open().snapshot_id == whole.open().snapshot_id != before
    # The answer taken back: one is missing, so the total is filled up: 8 × 9 / 8.
    apart.add({"score_items": answers("PHQ-9", {3: None})})
    assert apart.query("select total, is_prorated from score where day = 0") == [(9, True)]
    # Two more: no total, and no rest of the former one.
    apart.add({"score_items": answers("PHQ-9", {1: None, 2: None})})
    assert apart.query("select day from score") == [(14,)]
    # The same again is nothing new.
    assert apart.add({"score_items": answers("PHQ-9", {1: None, 2: None})}).unchanged


def test_new_rows_that_contradict_what_is_known_are_refused_and_the_known_stays(clinic: Provider) -> None:
    scores = [{"assessed_on": day(0), "total": 9, "plan_changed": True}]
    clinic.load({"episodes": [{}], "scores": scores, "score_items": answers("PHQ-9", [1] * 9)})
    before = clinic.open().snapshot_id
    report = clinic.add({"score_items": answers("PHQ-9", {1: 3})})
    assert rules(report) == {1: ("value", "ITEMS_CONTRADICT")} and report.unchanged
    report = clinic.add({"scores": [{"assessed_on": day(0), "total": 12}]})
    assert rules(report, "scores.csv") == {1: ("total", "ITEMS_CONTRADICT")} and report.unchanged
    assert clinic.open().snapshot_id == before
    # Both together are a correction.
    report = clinic.add({"scores": [{"assessed_on": day(0), "total": 11}], "score_items": answers("PHQ-9", {1: 3})})
    assert rules(report) == rules(report, "scores.csv") == {}
    assert clinic.query(SCORES) == [("phq9", 0, 11, 1, False, "both")]


def test_a_full_import_without_the_answers_is_held(clinic: Provider) -> None:
    clinic.load({"episodes": [{}], "score_items": answers("GAD-7", [1] * 7)})
    report = clinic.load({"episodes": [{}], "scores": [{"instrument": "GAD-7", "assessed_on": day(0), "total": 7}]})
    assert report.batch_rule == "SHRINK_GUARD" and not report.published


# --- scales ---------------------------------------------------------------------------------------------------------


def load_mapped(clinic: Provider, mapping: str, totals: list[float]) -> ImportReport:
    rows: list[Row] = [
        {"instrument": "WHO-5", "assessed_on": day(14 * place), "total": total} for place, total in enumerate(totals)
    ]
    folder = write_files(clinic.home / "raw", {"episodes": [{}], "scores": rows})
    toml = clinic.home / "clinic.toml"
    toml.write_text(mapping, encoding="utf-8")
    request = ImportRequest(folder, clinic.store, "limited", clinic.key, CUT, CUT, load_mapping(toml))
    return run_import(request)


@pytest.mark.parametrize(
    ("mapping", "given", "stored", "refused"),
    [
        ("", [20, 25], [], {1: "SCALE_UNKNOWN", 2: "SCALE_UNKNOWN"}),  # five a day, or a quarter of it?
        ("", [20, 28], [20, 28], {}),  # 28 is no raw total
        ('scales.who5 = "percent"', [20, 24], [20, 24], {}),
        ('[scales]\n"WHO-5" = "raw"', [0, 9, 25], [0, 36, 100], {}),
        ('scales.who5 = "raw"', [9, 36], [36], {2: "SCORE_RANGE"}),
    ],
)
def test_who5_is_raw_or_percent_and_never_guessed(
    clinic: Provider, mapping: str, given: list[float], stored: list[float], refused: dict[int, str]
) -> None:
    report = load_mapped(clinic, mapping, given)
    assert {row: rule for row, (_, rule) in rules(report, "scores.csv").items()} == refused
    assert clinic.query("select total from score order by day") == [(total,) for total in stored]


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ('scales.who5 = "half"', "clinic.toml, scales.who5: this must be raw or percent."),
        ('scales.phq9 = "raw"', "clinic.toml, scales.phq9: only these have two scales: who5."),
    ],
)
def test_a_scale_that_there_is_not_is_said(clinic: Provider, mapping: str, says: str) -> None:
    with pytest.raises(ImportProblem) as problem:
        load_mapped(clinic, mapping, [50])
    assert str(problem.value) == says


def test_ors_goes_in_tenths(clinic: Provider) -> None:
    rows = [{"instrument": "ORS", "assessed_on": day(0), "total": 24.9}]
    assert clinic.load({"episodes": [{}], "scores": rows}).published
    assert clinic.query("select total from score") == [(24.9,)]
