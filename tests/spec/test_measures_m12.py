"""The twelve episodes of the measure catalogue, worked by hand there: every measure gives the published
number.

Oracle: measure_examples.json, `m12_*` and the small examples of attendance, tests, readmission and follow-up.
"""

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analytics.measures import ALL, Cohort, Estimate, Stratifier, evaluate, find
from analytics.measures.estimate import UNKNOWN_AS_NO
from tests.spec.outcome_tables import SmallSnapshot, small_snapshot

Examples = dict[str, Any]

# The catalogue writes virtual and dropped_out where the files say telehealth and left_against_advice.
WORDS = {"virtual": "telehealth", "dropped_out": "left_against_advice"}
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def examples(request: pytest.FixtureRequest) -> Examples:
    shared: Path = request.getfixturevalue("shared")
    text = (shared / "measure_examples.json").read_text(encoding="utf-8")
    return {example["id"]: example for example in json.loads(text)["examples"]}


@pytest.fixture(scope="module")
def m12(examples: Examples) -> SmallSnapshot:
    data = examples["m12_dataset"]["inputs"]
    cut = date.fromisoformat(data["data_cut"])
    first_admission: dict[str, date] = {}
    episodes, scores = [], []
    for number, row in enumerate(data["rows"], start=1):
        admitted = date.fromisoformat(row["admit_date"])
        left = date.fromisoformat(row["discharge_date"]) if row["discharge_date"] else None
        first = first_admission.setdefault(row["person_id"], admitted)
        episodes.append(
            {
                "episode_id": number,
                "person_id": int(row["person_id"].removeprefix("P")),
                "planned_weeks": row["planned_weeks"],
                "modality": WORDS.get(row["modality"], row["modality"]),
                "admit_period": row["admit_date"][:7],
                "start_day": (admitted - first).days,
                "los_days": None if left is None else (left - admitted).days,
                "observed_days": (cut - admitted).days,
                "discharge_reason": WORDS.get(row["discharge_reason"], row["discharge_reason"]),
            }
        )
        scores += [
            {
                "episode_id": number,
                "instrument": instrument,
                "first": row[f"{key}_first"],
                "last": row[f"{key}_last"],
            }
            for instrument, key in (("phq9", "phq"), ("gad7", "gad"))
        ]
    return small_snapshot(episodes, scores)


def everybody(snapshot: SmallSnapshot, name: str, instrument: str | None = None, **cohort: Any) -> Estimate:
    (result,) = evaluate([find(name, instrument)], snapshot, Cohort(**cohort))
    return result.estimates[ALL]


def assert_share(estimate: Estimate, expected: Examples) -> None:
    assert (estimate.numerator, estimate.denominator) == (expected["x"], expected["n"])
    assert estimate.value == pytest.approx(expected["rate"], abs=TOLERANCE)
    assert (estimate.ci_low, estimate.ci_high) == pytest.approx(expected["wilson95"], abs=TOLERANCE)


def test_completion_and_its_variants(m12: SmallSnapshot, examples: Examples) -> None:
    expected = examples["m12_completion"]["expected"]
    (result,) = evaluate([find("completion")], m12)
    assert_share(result.estimates[ALL], expected["strict"])
    assert_share(result.variants["TEDS positive (any transfer)"][ALL], expected["teds_completed_or_transferred"])
    # The two who are still there are a rung of the ladder, not failures (7 of 12 would be wrong).
    assert [(step.count, step.lost) for step in result.ladder.steps] == [(12, 0), (10, 2), (10, 0), (7, 3)]


def test_measured_twice(m12: SmallSnapshot, examples: Examples) -> None:
    assert_share(everybody(m12, "paired_score", "phq9"), examples["m12_paired"]["expected"])


@pytest.mark.parametrize(
    ("measure", "oracle"),
    [
        ("reliable_improvement", "improved_of_paired"),
        ("reliable_deterioration", "deteriorated_of_paired"),
        ("no_reliable_change", "no_change_of_paired"),
    ],
)
def test_reliable_change(m12: SmallSnapshot, examples: Examples, measure: str, oracle: str) -> None:
    estimate = everybody(m12, measure, "phq9")
    assert_share(estimate, examples["m12_reliable"]["expected"][oracle])
    assert estimate.unknown == 1  # E03 left after two weeks with one score


def test_improvement_counts_the_unmeasured_three_ways(m12: SmallSnapshot, examples: Examples) -> None:
    expected = examples["m12_reliable"]["expected"]
    (result,) = evaluate([find("reliable_improvement", "phq9")], m12)
    estimate = result.estimates[ALL]
    assert [estimate.lower_bound, estimate.upper_bound] == pytest.approx(expected["bounds_improved"], abs=TOLERANCE)
    assert_share(result.variants[UNKNOWN_AS_NO][ALL], expected["improved_missing_as_not"])


@pytest.mark.parametrize("measure", ["recovery", "reliable_recovery", "response", "remission"])
def test_measures_of_people_who_started_in_the_clinical_range(
    m12: SmallSnapshot, examples: Examples, measure: str
) -> None:
    expected = examples["m12_recovery_phq"]["expected"]
    (result,) = evaluate([find(measure, "phq9")], m12)
    assert_share(result.estimates[ALL], expected[f"{measure}_paired"])
    assert_share(result.variants[UNKNOWN_AS_NO][ALL], expected[f"{measure}_missing_as_not"])
    # 12 admitted, 10 left, all with a baseline, 9 cases (E04 started at 8), 8 of them measured again.
    assert [step.count for step in result.ladder.steps][:5] == [
        12,
        10,
        10,
        expected["cases"],
        expected["paired_cases"],
    ]


def test_first_episode_of_each_person(m12: SmallSnapshot, examples: Examples) -> None:
    expected = examples["m12_person_level"]["expected"]
    estimate = everybody(m12, "reliable_improvement", "phq9", unit="person")
    assert_share(estimate, expected["reliable_improvement"])
    assert estimate.known + estimate.unknown == expected["persons"]  # P01 once, by the first of two stays
    assert estimate.persons == expected["paired"]


def test_mean_change_and_effect_sizes(m12: SmallSnapshot, examples: Examples) -> None:
    expected = examples["m12_mean_change"]["expected"]
    estimate = everybody(m12, "mean_change", "phq9")
    assert estimate.value == pytest.approx(expected["mean_change"], abs=TOLERANCE)
    assert [estimate.ci_low, estimate.ci_high] == pytest.approx(expected["ci95"], abs=TOLERANCE)
    named = {
        "sd": "sd_change",
        "mean_first": "mean_pre",
        "mean_last": "mean_post",
        "sd_first": "sd_pre",
        "sd_last": "sd_post",
        "correlation": "r",
        "t": "t",
        "p_value": "p_two_sided",
        "d_z": "d_z",
        "d_av": "d_av",
        "d_pre": "d_pre",
        "hedges_j": "J_df",
        "hedges_g": "g_av",
    }
    for ours, theirs in named.items():
        assert estimate.details[ours] == pytest.approx(expected[theirs], abs=TOLERANCE), ours
    assert (estimate.denominator, estimate.unknown) == (expected["n"], 1)


def test_still_in_the_program(m12: SmallSnapshot, examples: Examples) -> None:
    expected = examples["m12_still_in_30"]["expected"]
    estimate = everybody(m12, "retention_km")
    details = estimate.details
    assert details["still_in_30"] == pytest.approx(expected["S"], abs=TOLERANCE)
    assert details["still_in_30_standard_error"] == pytest.approx(expected["se"], abs=TOLERANCE)
    assert [details["still_in_30_low"], details["still_in_30_high"]] == pytest.approx(
        expected["loglog95"], abs=TOLERANCE
    )
    assert estimate.value == examples["m12_los"]["expected"]["km_median_any_exit"]


def test_retained_at_day_30_is_not_the_curve(m12: SmallSnapshot, examples: Examples) -> None:
    estimate = everybody(m12, "retention_30")
    assert_share(estimate, examples["m12_retention_30_fixed"]["expected"])
    assert estimate.too_recent == 1  # E11 was admitted 28 days before the data cut


def test_ways_of_leaving_add_up_on_every_day(m12: SmallSnapshot, examples: Examples) -> None:
    (result,) = evaluate([find("completion_cif")], m12)
    curve = result.curves[ALL]
    for day, expected in examples["m12_cif"]["expected"].items():
        # The last change of the curve on or before the day.
        at = max(number for number, time in enumerate(curve.time) if time <= int(day))
        shares = {way: values[at] for way, values in curve.values.items()}
        assert shares["left_early"] == pytest.approx(expected["dropout"], abs=TOLERANCE)
        assert shares["completed"] == pytest.approx(expected["complete"], abs=TOLERANCE)
        assert shares["transferred_higher"] == pytest.approx(expected["transfer"], abs=TOLERANCE)
        assert shares["still in"] == pytest.approx(expected["still_in"], abs=TOLERANCE)
        assert math.isclose(sum(shares.values()), 1, abs_tol=1e-12)
    assert result.estimates[ALL].value == pytest.approx(0.75)  # completed by day 84


def test_moved_to_higher_care(m12: SmallSnapshot, examples: Examples) -> None:
    assert_share(everybody(m12, "step_up_during_episode"), examples["stepup"]["expected"]["rate"])


def test_admission_periods_count_only_mature_admissions(m12: SmallSnapshot) -> None:
    (result,) = evaluate([find("completion")], m12, by=Stratifier.ADMIT_PERIOD)
    # Eight planned weeks need 70 days: E12 (cut on day 70) is just old enough, E10 and E11 are not.
    assert result.matured
    assert result.ladder.steps[1].lost == result.estimates[ALL].too_recent == 2
    assert math.isnan(result.estimates["2025-06"].value)
    assert result.estimates["2025-06"].reason == "Not known yet: 1 of 1 too recent."


def test_attendance_of_one_client(examples: Examples) -> None:
    inputs, expected = examples["attendance"]["inputs"], examples["attendance"]["expected"]
    cancelled = inputs["client_late_cancel"] + inputs["client_cancel_notice"]
    snapshot = small_snapshot(
        [
            {
                "attended_sessions": inputs["attended"] + inputs["attended_late"],
                "no_show_sessions": inputs["no_show"],
                "cancelled_client_sessions": cancelled,
                "cancelled_late_sessions": inputs["client_late_cancel"],
                "notice_recorded_sessions": cancelled,
            }
        ]
    )
    attendance, no_show = evaluate([find("attendance"), find("no_show")], snapshot)
    strict = attendance.variants["counting every cancellation by the person"][ALL]
    or_late = no_show.variants["missed or cancelled within 24 hours"][ALL]
    assert attendance.estimates[ALL].value == pytest.approx(expected["primary"], abs=TOLERANCE)
    assert strict.value == pytest.approx(expected["strict_all_client_scheduled"], abs=TOLERANCE)
    assert no_show.estimates[ALL].value == pytest.approx(expected["no_show_rate"], abs=TOLERANCE)
    assert or_late.value == pytest.approx(expected["no_show_or_late_cancel"], abs=TOLERANCE)
    # One client alone: no spread, so no interval, and that is said.
    assert math.isnan(attendance.estimates[ALL].ci_low)
    assert attendance.estimates[ALL].reason == "No interval: one episode alone shows no spread."


def test_drug_tests_of_two_clients(examples: Examples) -> None:
    inputs, expected = examples["uds"]["inputs"], examples["uds"]["expected"]
    snapshot = small_snapshot(
        {
            "tests_negative": negative,
            "tests_positive": collected - negative,
            "tests_missed": scheduled - collected,
        }
        for scheduled, collected, negative in (inputs["A"], inputs["B"])
    )
    (result,) = evaluate([find("uds_negative")], snapshot)
    estimate = result.estimates[ALL]
    missed = result.variants["missed or refused counted as positive"][ALL]
    assert estimate.value == pytest.approx(expected["collected_only"], abs=TOLERANCE)
    assert estimate.details["mean_of_episodes"] == pytest.approx(expected["person_mean_collected"], abs=TOLERANCE)
    assert missed.value == pytest.approx(expected["missing_as_positive"], abs=TOLERANCE)
    assert missed.details["mean_of_episodes"] == pytest.approx(expected["person_mean_missing_pos"], abs=TOLERANCE)


def test_drug_tests_at_random_stand_beside_those_that_were_scheduled() -> None:
    # measures.md 4.E: "Random vs scheduled tests separate". Of 20, 8 were scheduled, 7 clear; 6 at random, 3 clear.
    tests: dict[str, object] = {"tests_negative": 14, "tests_positive": 6, "tests_missed": 0}
    booked = {"tests_scheduled_negative": 7, "tests_scheduled_positive": 1}
    drawn = {"tests_random_negative": 3, "tests_random_positive": 3}
    (result,) = evaluate([find("uds_negative")], small_snapshot([tests | booked | drawn]))
    apart = [result.variants[words][ALL] for words in ("scheduled tests alone", "tests at random alone")]
    assert [(each.numerator, each.denominator) for each in apart] == [(7, 8), (3, 6)]
    # Never recorded: there is nothing, which is not 0 %.
    nothing = dict.fromkeys((*booked, *drawn), 0)
    (result,) = evaluate([find("uds_negative")], small_snapshot([tests | nothing]))
    for words in ("scheduled tests alone", "tests at random alone"):
        estimate = result.variants[words][ALL]
        assert math.isnan(estimate.value) and estimate.denominator == 0
        assert estimate.reason == "Nothing to count: no test is recorded as one of these."
    assert result.estimates[ALL].value == 14 / 20


def test_readmission_window_and_direct_transfer(examples: Examples) -> None:
    """Days to stays of seven people, as the store places them: A is a direct transfer, F was planned."""
    expected = examples["readmit_window"]["expected"]
    days = expected["days"]
    unplanned = {"A": None, "F": None, "G": days["G"][1]}
    snapshot = small_snapshot(
        {"readmission_day": unplanned.get(name, days[name]), "direct_transfer": name == "A"} for name in "ABCDEFG"
    )
    (result,) = evaluate([find("readmission_30d")], snapshot)
    estimate = result.estimates[ALL]
    assert estimate.numerator == len(expected["iop_convention_1_30"]["readmitted"])
    assert estimate.denominator == 7
    assert estimate.details["direct_transfers"] == len(expected["iop_convention_1_30"]["direct_transfer_day0"])


def test_readmission_needs_thirty_days_to_have_passed(examples: Examples) -> None:
    inputs, expected = examples["readmit_runout"]["inputs"], examples["readmit_runout"]["expected"]
    cut = date.fromisoformat(inputs["cut"])
    for discharge, is_eligible in expected["eligible"].items():
        since = (cut - date.fromisoformat(discharge)).days
        snapshot = small_snapshot([{"los_days": 56, "observed_days": 56 + since}])
        estimate = everybody(snapshot, "readmission_30d")
        assert (estimate.denominator, estimate.too_recent) == ((1, 0) if is_eligible else (0, 1))


def test_abstinence_at_discharge(examples: Examples) -> None:
    inputs, expected = examples["abst_dis"]["inputs"], examples["abst_dis"]["expected"]
    answers = [(True, True)] * inputs["a"] + [(True, False)] * inputs["b"]
    answers += [(False, True)] * inputs["c"] + [(False, False)] * inputs["d"]
    unanswered = [(None, None)] * (inputs["closed"] - len(answers))
    snapshot = small_snapshot(
        {"is_sud": True, "abstinent_admission": before, "abstinent_discharge": after}
        for before, after in (*answers, *unanswered)
    )
    (result,) = evaluate([find("abstinence_discharge")], snapshot)
    estimate = result.estimates[ALL]
    assert_share(estimate, expected["dis_missing_as_using"])
    assert estimate.known == expected["paired"]
    assert_share(result.variants["of those known"][ALL], expected["dis"])
    details = estimate.details
    assert (details["paired"], details["before"]) == (
        34,
        pytest.approx(expected["adm"]["rate"], abs=TOLERANCE),
    )
    assert details["change"] == pytest.approx(expected["change"], abs=TOLERANCE)
    assert [details["change_low"], details["change_high"]] == pytest.approx(expected["newcombe_paired"], abs=TOLERANCE)
    assert details["mcnemar_p"] == pytest.approx(expected["mcnemar_exact_p"], abs=TOLERANCE)
    assert details["not_before"] == expected["among_users_at_admission"]["n"]
    assert details["after_of_not_before"] == pytest.approx(expected["among_users_at_admission"]["rate"], abs=TOLERANCE)


def test_reach_after_six_months(examples: Examples) -> None:
    inputs, expected = examples["abst_followup"]["inputs"], examples["abst_followup"]["expected"]
    due = inputs["due"]
    episodes: list[dict[str, object]] = [{"observed_days": 56 + 100}] * inputs["not_matured"]
    episodes += [{"followup_180_outcome": "deceased"}] * inputs["died"]
    episodes += [{"followup_180_outcome": "incarcerated"}] * inputs["controlled_environment"]
    episodes += [{"followup_180_outcome": "no_consent"}] * inputs["no_consent"]
    episodes += [{"followup_180_reached": number < inputs["reached"]} for number in range(due)]
    (result,) = evaluate([find("followup_180_reach")], small_snapshot(episodes))
    assert_share(result.estimates[ALL], expected["followup_rate"])
    assert result.estimates[ALL].too_recent == inputs["not_matured"]
    assert [step.lost for step in result.ladder.steps] == [0, 0, 2, 3, 15, 10, 0, due - inputs["reached"]]
