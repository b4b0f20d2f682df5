"""`evaluate`: ladders, groups, curves, and a sentence wherever there is no number."""

import math
from dataclasses import replace
from itertools import product

import pytest

from analytics.measures import (
    ALL,
    NOT_KNOWN,
    Measure,
    StratifiedResult,
    Stratifier,
    evaluate,
    find,
    result_as_dict,
    result_as_text,
)
from analytics.measures.evaluate import statement
from analytics.measures.groups import choices
from analytics.statistics.gray import gray_test
from tests.spec.outcome_tables import Row, counts, one, small_snapshot

COMPLETION = find("completion")
READMISSION = find("readmission_30d")


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
        {"readmission_day": 5, "captured_days": 10},  # not known, although seen: capture ended early
        {"readmission_day": None, "captured_days": 29},  # not known
        {"readmission_day": None, "captured_days": 30},  # no
        {"readmission_day": None, "captured_days": 30, "discharge_reason": "deceased"},  # left out
    ]
    estimate = one(small_snapshot(rows), READMISSION).estimates[ALL]
    assert (estimate.numerator, estimate.denominator, estimate.unknown) == (1, 3, 2)
    assert estimate.details["stays seen among the not known"] == 1
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
    assert one(snapshot, find("retention_km"), Stratifier.THERAPY).tests == ()
    assert choices(snapshot, Stratifier.THERAPY) == ("cbt", "cbt_i", "dbt", NOT_KNOWN)
    # A filter takes the whole code: cbt is not cbt_i, and `_` is no wildcard.
    assert counts(one(snapshot, COMPLETION, where={"therapy": ("cbt",)}))[ALL] == (1, 2)
    assert counts(one(snapshot, COMPLETION, where={"therapy": ("cb__i",)}))[ALL] == (0, 0)


def test_curves_of_groups_are_compared_by_log_rank() -> None:
    rows = [{"modality": "in_person", "los_days": days} for days in (10, 20, 30, 40)]
    rows += [{"modality": "telehealth", "los_days": days} for days in (5, 6, 7, 8)]
    rows += [{"modality": None, "los_days": 50}]
    result = one(small_snapshot(rows), find("retention_km"), Stratifier.MODALITY)
    (test,) = result.tests
    assert (test.name, test.degrees_of_freedom) == ("log-rank", 1)  # not known is not a group
    # Four leave before any of the other four: U = 4 - (4/8 + 3/7 + 2/6 + 1/5), V = Σ p (1-p) at those shares.
    shares = (4 / 8, 3 / 7, 2 / 6, 1 / 5)
    expected = (4 - sum(shares)) ** 2 / sum(share * (1 - share) for share in shares)
    assert test.statistic == pytest.approx(expected)
    assert set(result.curves) == {ALL, "in_person", "telehealth", NOT_KNOWN}


def test_incidences_of_groups_are_tested_twice_and_set_apart_on_one_day() -> None:
    # In person: 2 of 4 have completed by day 56; by telehealth 3 of 4, one of them on day 28, before anybody left.
    stays = {
        "in_person": [(20, "lost_contact"), (56, "completed"), (56, "completed"), (60, "moved")],
        "telehealth": [(28, "completed"), (50, "lost_contact"), (56, "completed"), (56, "completed")],
    }
    rows = [
        {"modality": modality, "los_days": days, "discharge_reason": reason}
        for modality, group in stays.items()
        for days, reason in group
    ]
    result = one(small_snapshot(rows), find("completion_cif"), Stratifier.MODALITY)
    rate, share = result.tests
    assert (rate.name, share.name) == ("cause-specific log-rank (completed)", "Gray (completed)")
    assert rate.asks != share.asks
    day = [row["los_days"] for row in rows]
    way = [1 if row["discharge_reason"] == "completed" else 2 for row in rows]
    theirs = gray_test(day, way, [row["modality"] for row in rows])
    assert (share.statistic, share.p_value) == pytest.approx((theirs.statistic, theirs.p_value))
    (gap,) = result.differences
    assert (gap.first, gap.second, gap.day) == ("in_person", "telehealth", 56)
    assert gap.value == pytest.approx(2 / 4 - 3 / 4)
    assert gap.ci_low < gap.value < gap.ci_high
    text = result_as_text(result)
    assert "Gray (completed): " in text and "it asks whether the same share has left in this way by each day" in text
    assert "By day 56, in_person minus telehealth: -25.0 points" in text


def test_incidences_of_one_group_or_of_overlapping_ones_are_not_compared() -> None:
    alone = one(small_snapshot([{}, {}]), find("completion_cif"), Stratifier.MODALITY)
    assert (alone.tests, alone.differences) == ((), ())
    both = one(small_snapshot([{"therapy": "cbt|dbt"}, {"therapy": "cbt"}]), find("completion_cif"), Stratifier.THERAPY)
    assert (both.tests, both.differences) == ((), ())


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


def test_incidence_of_any_other_split_is_read_at_the_longest_plan_of_all() -> None:
    # A trial of 24 weeks read at week 12 would say that nobody completed.
    rows = [{"modality": "in_person", "planned_weeks": 24, "los_days": 168}, {"modality": "hybrid", "los_days": 56}]
    result = one(small_snapshot(rows), find("completion_cif"), Stratifier.MODALITY)
    assert {each.details["day"] for each in result.estimates.values()} == {168}
    rows = [{"planned_weeks": None, "los_days": 168}]
    assert one(small_snapshot(rows), find("completion_cif")).estimates[ALL].details["day"] == 84


def test_leaving_for_a_reason_not_recorded_is_a_way_of_its_own() -> None:
    rows: list[Row] = [{"los_days": 10}, {"los_days": 10, "discharge_reason": None}, {"los_days": None}]
    curve = one(small_snapshot(rows), find("completion_cif")).curves[ALL]
    assert curve.time == (10, 60)
    assert [curve.values[way][0] for way in ("completed", NOT_KNOWN, "still in")] == pytest.approx([1 / 3] * 3)


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
        (
            [{"los_days": None, "planned_weeks": 12}],
            find("completion_cif"),
            "Not known yet: nobody was watched for 84 days.",
        ),
        (
            [{"attended_sessions": 0, "no_show_sessions": 0}],
            find("attendance"),
            "Nobody to count of 1: 1 no session",
        ),
        ([{}], find("mean_change", "phq9"), "Nobody matches these filters in a program that uses PHQ-9."),
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
    snapshot = small_snapshot([{"readmission_day": None}, {"los_days": None}], absent=("acute_event", "attendance"))
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
    scores += [{"episode_id": number, "instrument": "gad7", "first": 15, "last": number} for number in (1, 2, 3)]
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
    assert estimate.details == {
        "episodes": 3,
        "mean_of_episodes": pytest.approx((0.8 + 0.6 + 0.2) / 3),
        "stays with sessions missed in hospital, which are left out": 0,
    }
    half = 4.302652729911275 * 0.17320508075688773 / (0.6 * 0.4)  # t(.975, 2) on the logit
    assert estimate.ci_low == pytest.approx(1 / (1 + math.exp(half) * 0.4 / 0.6))
    assert [step.count for step in result.ladders["hybrid"].steps] == [3, 2, 2, 2]


def test_conditions_on_codes_alone_are_asked_of_each_combination_once() -> None:
    assert "group by all" in statement(find("completion"))
    # Days are of many values: rows are counted as they are.
    assert "group by all" not in statement(find("readmission_30d"))
