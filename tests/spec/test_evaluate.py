"""`evaluate`: ladders, groups, filters, units, people, and a sentence wherever there is no number."""

import json
import math
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from analytics.errors import MeasureProblem
from analytics.measures import (
    ALL,
    NOT_KNOWN,
    Cohort,
    Measure,
    StratifiedResult,
    Stratifier,
    evaluate,
    find,
    pair_counts,
    result_as_dict,
    result_as_text,
    statement,
)
from analytics.measures.groups import choices
from tests.spec.outcome_tables import Row, SmallSnapshot, small_snapshot

COMPLETION = find("completion")
READMISSION = find("readmission_30d")


def one(
    snapshot: SmallSnapshot, measure: Measure, by: Stratifier | None = None, **cohort: Any
) -> StratifiedResult:
    (result,) = evaluate([measure], snapshot, Cohort(**cohort), by)
    return result


def counts(result: StratifiedResult) -> dict[str, tuple[int, int]]:
    return {group: (each.numerator, each.denominator) for group, each in result.estimates.items()}


# The ladder


def test_a_condition_that_is_not_known_does_not_let_a_row_through() -> None:
    # Every combination of true, false and NULL in three conditions and the outcome: 81 rows, a third stays at
    # each step. `not (…)` would keep the NULLs: 81, 54, 36, 24.
    measure = replace(
        COMPLETION,
        eligible={"a": "is_sud", "b": "direct_transfer", "c": "controlled_admission"},
        lost={"a": "not a", "b": "not b", "c": "not c"},
        success="abstinent_discharge",
        variants={},
    )
    names = ("is_sud", "direct_transfer", "controlled_admission", "abstinent_discharge")
    rows = [dict(zip(names, values, strict=True)) for values in product((True, False, None), repeat=4)]
    result = one(small_snapshot(rows), measure)
    assert [(step.count, step.lost) for step in result.ladder.steps] == [
        (81, 0),
        (27, 54),
        (9, 18),
        (3, 6),
        (2, 1),  # known; lost: the outcome is NULL
        (1, 1),
    ]
    assert result.estimates[ALL].unknown == 1


def test_no_reason_for_leaving_is_not_known_rather_than_not_completed() -> None:
    estimate = one(
        small_snapshot([{}, {"discharge_reason": "moved"}, {"discharge_reason": None}]), COMPLETION
    ).estimates[ALL]
    assert (estimate.numerator, estimate.denominator, estimate.unknown) == (1, 2, 1)
    assert (estimate.lower_bound, estimate.upper_bound) == (1 / 3, 2 / 3)


def test_retained_at_day_30() -> None:
    rows = [
        {"los_days": 30, "discharge_reason": "lost_contact"},  # stayed 30 days: yes
        {"los_days": 29, "discharge_reason": "lost_contact"},  # no
        {"los_days": 20, "discharge_reason": "completed"},  # finished earlier: yes
        {"los_days": 20, "discharge_reason": None},  # not known whether finished
        {"los_days": 20, "discharge_reason": "deceased"},  # a rung of its own
        {"los_days": 40, "discharge_reason": "deceased"},  # died later: yes
        {"los_days": None, "observed_days": 29},  # too recent
        {"los_days": None, "observed_days": 30},  # yes
    ]
    result = one(small_snapshot(rows), find("retention_30"))
    estimate = result.estimates[ALL]
    assert (estimate.numerator, estimate.denominator, estimate.unknown, estimate.too_recent) == (4, 5, 1, 1)
    assert [step.lost for step in result.ladder.steps] == [0, 1, 1, 1, 1]


def test_readmission_counts_what_could_be_seen() -> None:
    rows = [
        {"readmission_day": 30, "captured_days": 40},  # day 30 itself counts
        {"readmission_day": 31, "captured_days": 40},  # no
        {"readmission_day": 5, "captured_days": 10},  # seen, so it counts, although capture ended early
        {"readmission_day": None, "captured_days": 29},  # not known
        {"readmission_day": None, "captured_days": 30},  # no
        {"readmission_day": None, "captured_days": 30, "discharge_reason": "deceased"},  # left out
    ]
    estimate = one(small_snapshot(rows), READMISSION).estimates[ALL]
    assert (estimate.numerator, estimate.denominator, estimate.unknown) == (2, 4, 1)
    without_capture = [{**row, "captured_days": None} for row in rows]
    assert counts(one(small_snapshot(without_capture), READMISSION))[ALL] == (2, 5)


def test_profile_nhs_counts_people_who_came_twice_and_the_unmeasured_as_no() -> None:
    episodes: list[Row] = [{"episode_id": number} for number in range(1, 6)]
    scores = [
        {"episode_id": 1, "treated": True, "nhs_first": 18, "nhs_last": 6, "first": 12, "last": 6},
        {"episode_id": 2, "treated": True, "nhs_first": 18},  # no last score: stays in as no
        {"episode_id": 3, "treated": True},  # no score at all: stays in as no
        {"episode_id": 4, "treated": True, "nhs_first": 9, "nhs_last": 2},  # below the clinical range: out
        {"episode_id": 5, "treated": False, "nhs_first": 18, "nhs_last": 6},  # came once: out
    ]
    result = one(small_snapshot(episodes, scores), find("recovery", "phq9", "nhs"))
    assert counts(result)[ALL] == (1, 3)
    assert result.estimates[ALL].unknown == 2
    assert counts_of_variant(result, "of those known") == (1, 1)


def counts_of_variant(result: StratifiedResult, words: str) -> tuple[int, int]:
    estimate = result.variants[words][ALL]
    return estimate.numerator, estimate.denominator


# Groups


def test_groups_stand_in_their_own_order_and_not_known_last() -> None:
    rows = [{"planned_weeks": weeks} for weeks in (12, 8, None, 4)]
    assert list(one(small_snapshot(rows), COMPLETION, Stratifier.PLANNED_WEEKS).estimates) == [
        ALL,
        "4",
        "8",
        "12",
        NOT_KNOWN,
    ]
    rows = [{"modality": modality} for modality in ("telehealth", None, "in_person", "hybrid")]
    snapshot = small_snapshot(rows)
    expected = ["in_person", "hybrid", "telehealth", NOT_KNOWN]
    assert list(one(snapshot, COMPLETION, Stratifier.MODALITY).estimates) == [ALL, *expected]
    assert choices(snapshot, Stratifier.MODALITY) == tuple(expected)
    rows = [{"baseline_severity": band} for band in ("severe", "minimal", "moderately_severe", "moderate")]
    assert list(one(small_snapshot(rows), COMPLETION, Stratifier.BASELINE_SEVERITY).estimates)[1:] == [
        "minimal",
        "moderate",
        "moderately_severe",
        "severe",
    ]


def test_an_episode_with_two_therapies_is_in_both_groups_and_once_in_all() -> None:
    rows = [
        {"therapy": "cbt|dbt"},
        {"therapy": "cbt", "discharge_reason": "moved"},
        {"therapy": "cbt_i"},
        {"therapy": None},
    ]
    snapshot = small_snapshot(rows)
    result = one(snapshot, COMPLETION, Stratifier.THERAPY)
    assert counts(result) == {ALL: (3, 4), "cbt": (1, 2), "cbt_i": (1, 1), "dbt": (1, 1), NOT_KNOWN: (1, 1)}
    assert result.overlapping
    assert one(snapshot, find("retention_km"), Stratifier.THERAPY).test is None
    assert choices(snapshot, Stratifier.THERAPY) == ("cbt", "cbt_i", "dbt", NOT_KNOWN)
    # A filter takes the whole code: cbt is not cbt_i, and `_` is no wildcard.
    assert counts(one(snapshot, COMPLETION, where={"therapy": ("cbt",)}))[ALL] == (1, 2)
    assert counts(one(snapshot, COMPLETION, where={"therapy": ("cb__i",)}))[ALL] == (0, 0)


def test_curves_of_groups_are_compared_by_log_rank() -> None:
    rows = [{"modality": "in_person", "los_days": days} for days in (10, 20, 30, 40)]
    rows += [{"modality": "telehealth", "los_days": days} for days in (5, 6, 7, 8)]
    rows += [{"modality": None, "los_days": 50}]
    result = one(small_snapshot(rows), find("retention_km"), Stratifier.MODALITY)
    assert result.test is not None
    assert (result.test.name, result.test.degrees_of_freedom) == ("log-rank", 1)  # not known is not a group
    # Four leave before any of the other four: U = 4 - (4/8 + 3/7 + 2/6 + 1/5), V = Σ p (1-p) at those shares.
    shares = (4 / 8, 3 / 7, 2 / 6, 1 / 5)
    expected = (4 - sum(shares)) ** 2 / sum(share * (1 - share) for share in shares)
    assert result.test.statistic == pytest.approx(expected)
    assert set(result.curves) == {ALL, "in_person", "telehealth", NOT_KNOWN}


def test_incidence_is_read_at_the_planned_length_when_that_is_the_split() -> None:
    rows = [{"planned_weeks": 8, "los_days": 56}, {"planned_weeks": 8, "los_days": 60}]
    rows += [{"planned_weeks": 12, "los_days": 84}, {"planned_weeks": None, "los_days": 56}]
    result = one(small_snapshot(rows), find("completion_cif"), Stratifier.PLANNED_WEEKS)
    assert {group: each.details["day"] for group, each in result.estimates.items()} == {
        ALL: 84,
        "8": 56,
        "12": 84,
        NOT_KNOWN: 84,
    }
    assert result.estimates["8"].value == 0.5
    assert result.estimates["8"].numerator == 1


def test_leaving_for_a_reason_not_recorded_is_a_way_of_its_own() -> None:
    rows: list[Row] = [{"los_days": 10}, {"los_days": 10, "discharge_reason": None}, {"los_days": None}]
    curve = one(small_snapshot(rows), find("completion_cif")).curves[ALL]
    assert curve.time == (10, 60)
    assert [curve.values[way][0] for way in ("completed", NOT_KNOWN, "still in")] == pytest.approx(
        [1 / 3] * 3
    )


# Filters and periods


def test_codes_of_one_column_are_or_and_columns_are_and() -> None:
    rows = [
        {"modality": "in_person", "age_band": "18-25"},
        {"modality": "hybrid", "age_band": "18-25"},
        {"modality": None, "age_band": "18-25"},
        {"modality": "in_person", "age_band": "26-34"},
    ]
    snapshot = small_snapshot(rows)
    two = {"modality": ("in_person", "hybrid"), "age_band": ("18-25",)}
    assert counts(one(snapshot, COMPLETION, where=two))[ALL] == (2, 2)
    assert counts(one(snapshot, COMPLETION, where={"modality": ("hybrid", NOT_KNOWN)}))[ALL] == (2, 2)
    assert counts(one(snapshot, COMPLETION, where={"modality": (NOT_KNOWN,)}))[ALL] == (1, 1)
    assert counts(one(snapshot, COMPLETION, where={"modality": ()}))[ALL] == (4, 4)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ("2025-03", "2025-04", ["2025-03", "2025-04"]),  # the end is included
        ("2025", "2025", ["2025-03", "2025-04", "2025-12"]),  # a year holds its months
        ("2025-Q4", None, ["2025-03", "2025-04", "2025-12", "2026-01"]),  # quarter and month: years only
        (None, "2024", ["2024-12"]),
    ],
)
def test_periods(start: str | None, end: str | None, kept: list[str]) -> None:
    months = ("2024-12", "2025-03", "2025-04", "2025-12", "2026-01", None)
    snapshot = small_snapshot({"admit_period": month} for month in months)
    result = one(snapshot, COMPLETION, Stratifier.ADMIT_PERIOD, start=start, end=end)
    assert list(result.estimates)[1:] == kept
    assert result.matured


def test_maturity_applies_only_where_admission_periods_split_or_limit() -> None:
    # Eight planned weeks: old enough after 70 days. One left early, one is new.
    rows = [{"observed_days": 70}, {"los_days": 10, "observed_days": 69, "discharge_reason": "lost_contact"}]
    snapshot = small_snapshot(rows)
    assert counts(one(snapshot, COMPLETION))[ALL] == (1, 2)
    for cohort in ({"start": "2025"}, {"where": {"admit_period": ("2025-03",)}}):
        result = one(snapshot, COMPLETION, **cohort)
        assert (counts(result)[ALL], result.estimates[ALL].too_recent) == ((1, 1), 1)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"person_id": ("1",)}, "There is no filter 'person_id'. Filters are: admit_period, "),
        ({"modality": ("virtual",)}, "It takes: in_person, hybrid, telehealth, 'not known'."),
        ({"planned_weeks": ("eight",)}, "a whole number of weeks"),
        ({"admit_period": ("March",)}, "a month (2026-03), a quarter (2026-Q1) or a year (2026)"),
        ({"therapy": ("CBT|DBT",)}, "codes of small letters"),
        ({"dose_band": ("much",)}, "none, under half, half or more, all"),
        ({"baseline_severity": ("bad",)}, "minimal, mild, moderate, moderately_severe, severe"),
    ],
)
def test_a_filter_that_does_not_exist_is_refused_with_the_choices(where: dict[str, Any], says: str) -> None:
    with pytest.raises(MeasureProblem) as problem:
        one(small_snapshot([{}]), COMPLETION, where=where)
    assert says in str(problem.value)


def test_a_value_is_bound_and_never_part_of_the_text() -> None:
    snapshot = small_snapshot([{"site": "east"}])
    hostile = "east' or 1 = 1 --"
    assert one(snapshot, COMPLETION, where={"site": (hostile,)}).episodes == 0
    assert all("1 = 1" not in text for text in snapshot.statements)


# Units and people

TWO_STAYS: list[dict[str, Any]] = [
    {"person_id": 1, "start_day": 0, "discharge_reason": "lost_contact", "is_course_last": False},
    {"person_id": 1, "start_day": 70},
    {"person_id": 2, "start_day": 0, "los_days": None},
    {"person_id": 3, "start_day": 0},
]


def test_a_person_counts_once_by_the_first_closed_episode() -> None:
    result = one(small_snapshot(TWO_STAYS), COMPLETION, unit="person")
    assert counts(result)[ALL] == (1, 2)
    # Whoever has not left yet stays on the ladder.
    assert [step.count for step in result.ladder.steps] == [3, 2, 2, 1]
    assert result.estimates[ALL].persons == 2


def test_a_course_is_judged_by_its_last_episode() -> None:
    snapshot = small_snapshot(
        TWO_STAYS, [{"episode_id": number, "first": 15, "last": 5} for number in (1, 2, 3, 4)]
    )
    assert counts(one(snapshot, COMPLETION, unit="course"))[ALL] == (2, 2)
    assert counts(one(snapshot, find("reliable_improvement", "phq9"), unit="course"))[ALL] == (2, 2)


def test_people_are_counted_for_the_total_and_for_small_groups() -> None:
    # 200 closed stays of 50 people in person, three stays of two people by telehealth, one of nobody else
    # hybrid.
    rows = [{"person_id": number % 50, "modality": "in_person"} for number in range(200)]
    rows += [{"person_id": person, "modality": "telehealth"} for person in (0, 0, 60)]
    rows += [{"person_id": 61, "modality": "hybrid", "los_days": None}]
    snapshot = small_snapshot(rows)
    result = one(snapshot, COMPLETION, Stratifier.MODALITY)
    persons = {group: each.persons for group, each in result.estimates.items()}
    assert persons == {ALL: 51, "in_person": None, "hybrid": None, "telehealth": 2}
    assert (result.episodes, result.persons) == (204, 52)
    (uncounted,) = evaluate([COMPLETION], snapshot, by=Stratifier.MODALITY, persons=False)
    assert uncounted.persons is None
    assert uncounted.estimates[ALL].persons is None


def test_a_person_with_two_therapies_is_counted_in_both() -> None:
    rows = [
        {"person_id": 1, "therapy": "cbt|dbt"},
        {"person_id": 1, "therapy": "dbt"},
        {"person_id": 2, "therapy": "cbt"},
        {"person_id": 3, "therapy": None},
    ]
    result = one(small_snapshot(rows), COMPLETION, Stratifier.THERAPY)
    assert {group: each.persons for group, each in result.estimates.items()} == {
        ALL: 3,
        "cbt": 2,
        "dbt": 1,
        NOT_KNOWN: 1,
    }


# No number, but a sentence


@pytest.mark.parametrize(
    ("rows", "measure", "reason"),
    [
        ([], COMPLETION, "Nobody matches these filters."),
        ([{"los_days": None}], COMPLETION, "Nobody to count of 1: 1 still in the program."),
        (
            [{"discharge_reason": None}],
            COMPLETION,
            "Not known for any of 1: reason for leaving not recorded.",
        ),
        ([{"observed_days": 57}], READMISSION, "Not known yet: 1 of 1 too recent."),
        ([], find("retention_km"), "Nobody matches these filters."),
        ([], find("completion_cif"), "Nobody matches these filters."),
        ([{"los_days": None}], find("retention_km"), "Fewer than half of 1 had left when last seen."),
        ([{"los_days": None}], find("completion_cif"), "Not known yet: nobody was watched for 84 days."),
        (
            [{"attended_sessions": 0, "no_show_sessions": 0}],
            find("attendance"),
            "Nobody to count of 1: 1 no session",
        ),
        ([{}], find("mean_change", "phq9"), "Nobody matches these filters in a program that uses phq9."),
    ],
)
def test_no_number_is_a_sentence(rows: list[Row], measure: Measure, reason: str) -> None:
    result = one(small_snapshot(rows), measure, Stratifier.MODALITY)
    for estimate in result.estimates.values():
        assert math.isnan(estimate.value)
        assert estimate.reason is not None
        assert estimate.reason.startswith(reason)
    assert estimate.reason in result_as_text(result)


def test_what_was_not_collected_says_so_and_still_shows_people() -> None:
    snapshot = small_snapshot(
        [{"readmission_day": None}, {"los_days": None}], absent=("acute_event", "attendance")
    )
    readmission, attendance, completion = evaluate([READMISSION, find("attendance"), COMPLETION], snapshot)
    assert readmission.estimates[ALL].reason == "Not collected: hospital, residential and detox stays."
    assert attendance.estimates[ALL].reason == "Not collected: attendance of sessions."
    assert (readmission.estimates[ALL].denominator, readmission.estimates[ALL].persons) == (0, None)
    # Nothing is claimed to be known: the ladder ends with those whose outcome would be asked.
    assert [step.count for step in readmission.ladder.steps] == [2, 1, 1, 1]
    assert counts(completion)[ALL] == (1, 1)


# One statement for many measures


def test_many_measures_share_their_statements_and_agree_with_each_alone() -> None:
    rows: list[Row] = [
        {
            "attended_sessions": 8,
            "no_show_sessions": 2,
            "cancelled_client_sessions": 1,
            "cancelled_late_sessions": 0,
        },
        {
            "attended_sessions": 3,
            "no_show_sessions": 2,
            "cancelled_client_sessions": 0,
            "cancelled_late_sessions": 0,
        },
        {"discharge_reason": "moved", "modality": "telehealth", "readmission_day": 3},
    ]
    scores = [{"episode_id": 1, "first": 18, "last": 6}, {"episode_id": 2, "first": 12, "last": 9}]
    scores += [
        {"episode_id": number, "instrument": "gad7", "first": 15, "last": number} for number in (1, 2, 3)
    ]
    snapshot = small_snapshot(rows, scores)
    ids = ["completion", "attendance", "no_show", "readmission_30d", "retention_30", "retention_km"]
    measures = [find(name) for name in ids]
    measures += [find(name, key) for name in ("recovery", "mean_change") for key in ("phq9", "gad7")]
    together = evaluate(measures, snapshot, by=Stratifier.MODALITY, persons=False)
    # Collected; counts and sums of the episodes, of each instrument; the curve.
    assert len(snapshot.statements) == 1 + 2 + 2 * 2 + 1
    for measure, result in zip(measures, together, strict=True):
        (alone,) = evaluate([measure], snapshot, by=Stratifier.MODALITY, persons=False)
        assert result_as_dict(result) == result_as_dict(alone), measure.name


def test_ratio_of_sums_by_group() -> None:
    rows = [
        {"attended_sessions": attended, "no_show_sessions": missed, "cancelled_late_sessions": 0}
        | {"cancelled_client_sessions": 0, "modality": modality}
        for attended, missed, modality in [
            (8, 2, "hybrid"),
            (3, 2, "hybrid"),
            (1, 4, "in_person"),
            (0, 0, "hybrid"),
        ]
    ]
    result = one(small_snapshot(rows), find("attendance"), Stratifier.MODALITY)
    assert counts(result) == {ALL: (12, 20), "in_person": (1, 5), "hybrid": (11, 15)}
    # Three clusters with 8 of 10, 3 of 5, 1 of 5: r = .6, SE = .1732 (the example of `ratio_of_sums`).
    estimate = result.estimates[ALL]
    assert estimate.details == {"episodes": 3, "mean_of_episodes": pytest.approx((0.8 + 0.6 + 0.2) / 3)}
    half = 4.302652729911275 * 0.17320508075688773 / (0.6 * 0.4)  # t(.975, 2) on the logit
    assert estimate.ci_low == pytest.approx(1 / (1 + math.exp(half) * 0.4 / 0.6))
    assert [step.count for step in result.ladders["hybrid"].steps] == [3, 2, 2, 2]


# Results as data and as text


def test_a_result_is_plain_data_for_json() -> None:
    rows: list[Row] = [{}, {"modality": "hybrid", "los_days": None}]
    for measure in (COMPLETION, find("retention_km"), find("completion_cif")):
        result = one(small_snapshot(rows), measure, Stratifier.MODALITY, where={"site": (NOT_KNOWN,)})
        data = json.loads(json.dumps(result_as_dict(result), allow_nan=False))
        assert data["by"] == "modality"
        assert data["cohort"] == {
            "where": {"site": ["not known"]},
            "start": None,
            "end": None,
            "unit": "episode",
        }
        assert data["measure"]["reviewed"] == "2026-11-21"
        assert set(data) == set(result.__dataclass_fields__)
    assert data["estimates"]["hybrid"]["value"] is None
    assert data["estimates"]["hybrid"]["reason"]


def test_text_gives_value_interval_counts_and_who_is_missing() -> None:
    rows: list[Row] = [{}] * 7 + [{"discharge_reason": "moved"}] * 3 + [{"los_days": None}] * 2
    text = result_as_text(one(small_snapshot(rows), COMPLETION, Stratifier.MODALITY))
    assert "70.0% (39.7% to 89.2%) of people who left the program had completed the program, 7 of 10." in text
    assert "Not known: 0. Too recent: 0." in text
    assert "10 left the program   (lost 2: still in the program)" in text
    assert "Snapshot small: 12 episode rows, 12 people." in text


def test_the_statement_can_be_run_as_it_is_shown() -> None:
    measure = find("reliable_recovery", "phq9")
    snapshot = small_snapshot([{}], [{"episode_id": 1, "first": 18, "last": 6}])
    shown = statement(measure, Cohort(where={"modality": ("in_person",)}), Stratifier.MODALITY)
    comments = [
        line.removeprefix("-- $").split(" = ") for line in shown.splitlines() if line.startswith("-- $")
    ]
    bound = {name: int(value) if value.isdigit() else value.strip("'") for name, value in comments}
    assert bound["m0_reliable_change"] == 6
    assert snapshot.connection.execute(shown, bound).fetchall() == [("in_person", 3, True, 1)]


def test_pairs_of_first_and_last_scores() -> None:
    episodes: list[Row] = [{}, {}, {}, {"los_days": None}]
    scores = [{"episode_id": number, "first": 18, "last": 6} for number in (1, 2)]
    scores += [{"episode_id": 3, "first": 12}, {"episode_id": 4, "first": 9, "last": 3}]
    found = pair_counts(small_snapshot(episodes, scores), "PHQ-9", Cohort())
    assert found.pairs == ((18, 6, 2),)
    assert found.unmeasured == ((12, 1),)
    assert found.instrument == "phq9"
