"""What holds for every clinic: the invariants of the measure catalogue (4.Y), on random outcome tables."""

import math
import warnings
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.measures import ALL, Cohort, Measure, StratifiedResult, Stratifier, evaluate, find
from analytics.measures.catalog import CATALOG
from analytics.measures.estimate import UNKNOWN_AS_NO
from analytics.measures.results import STILL_IN
from analytics.measures.subjects import subject_of
from analytics.measures.types import Estimator, Table
from analytics.statistics.survival import kaplan_meier
from tests.spec.outcome_tables import SmallSnapshot, small_snapshot

Rows = list[dict[str, Any]]

REASONS = ("completed", "transferred_lower", "transferred_higher", "lost_contact", "moved", "deceased", None)
maybe = st.sampled_from((True, False, None))
score = st.none() | st.integers(0, 27)


@st.composite
def an_episode(draw: st.DrawFn) -> dict[str, Any]:
    """One episode with everything a measure may ask of it, open or closed, known or not."""
    los_days = draw(st.none() | st.integers(0, 90))
    attended, missed, late = (draw(st.integers(0, 9)) for _ in range(3))
    negative, positive, none_given = (draw(st.integers(0, 4)) for _ in range(3))
    first = draw(score)
    last = None if first is None else draw(score)
    return {
        "person_id": draw(st.integers(1, 6)),
        "modality": draw(st.sampled_from(("in_person", "hybrid", "telehealth", None))),
        "therapy": draw(st.sampled_from(("cbt", "dbt", "cbt|dbt", None))),
        "planned_weeks": draw(st.sampled_from((8, 12, None))),
        "admit_period": draw(st.sampled_from(("2025-03", "2025-04", None))),
        "start_day": draw(st.integers(0, 300)),
        "los_days": los_days,
        "observed_days": (los_days or 0) + draw(st.integers(0, 455)),
        "discharge_reason": None if los_days is None else draw(st.sampled_from(REASONS)),
        "attended_sessions": attended,
        "no_show_sessions": missed,
        "cancelled_late_sessions": late,
        "cancelled_client_sessions": late + draw(st.integers(0, 3)),
        "readmission_day": draw(st.none() | st.integers(1, 60)),
        "captured_days": draw(st.none() | st.integers(0, 90)),
        "direct_transfer": draw(maybe),
        "is_sud": draw(maybe),
        "abstinent_admission": draw(maybe),
        "abstinent_discharge": draw(maybe),
        "tests_negative": negative,
        "tests_positive": positive,
        "tests_missed": none_given,
        "followup_180_reached": draw(maybe),
        "score": {"first": first, "last": last, "nhs_first": first, "nhs_last": last, "treated": draw(maybe)},
    }


a_clinic = st.lists(an_episode(), min_size=0, max_size=14)
few = settings(max_examples=10, deadline=None, derandomize=True)


# Requests for help are no part of the clinic that is drawn: a start, a "no", a repeat, one too recent, nobody named.
# No more are answers of clients and families; in one place nobody knows how many answered.
REQUESTS: list[dict[str, object]] = [
    {"days_to_first_session": 30},
    {},
    {"is_repeat": True},
    {"observed_days": 0},
    {"person_id": None, "observed_days": None},
]
ANSWERS: list[dict[str, object]] = [
    {"recommend": 4, "total": 30},
    {"recommend": 2, "total": 17},
    {"invitations": 2},
    {"respondent": "family", "is_answered": None},
]
FINANCE: list[dict[str, object]] = [{"period": f"2025-0{month}", "cost": 1000 * month} for month in range(1, 9)]
# What stands beside the episodes, by table.
BESIDE = {Table.REFERRAL_OUTCOME: len(REQUESTS), Table.SATISFACTION_OUTCOME: 5}


def snapshot_of(rows: Rows) -> SmallSnapshot:
    episodes = [{name: value for name, value in row.items() if name != "score"} for row in rows]
    scores = [
        {"episode_id": number, "instrument": instrument, **row["score"]}
        for number, row in enumerate(rows, start=1)
        for instrument in ("phq9", "gad7")
    ]
    return small_snapshot(episodes, scores, referrals=REQUESTS, answers=ANSWERS, finance=FINANCE)


def of_everybody(rows: Rows, *measures: Measure, **cohort: Any) -> list[StratifiedResult]:
    return evaluate(measures, snapshot_of(rows), Cohort(**cohort))


def is_about_episodes(measure: Measure) -> bool:
    return subject_of(measure).not_about_episodes is None


USED: tuple[Measure, ...] = tuple(measure for measure in CATALOG if measure.instrument in (None, "phq9", "gad7"))


@few
@given(a_clinic, st.sampled_from([None, Stratifier.MODALITY, Stratifier.THERAPY, Stratifier.ADMIT_PERIOD]))
def test_every_measure_keeps_count_of_everybody(rows: Rows, by: Stratifier | None) -> None:
    """No exception on any clinic, a sentence where there is no number, and every loss is named."""
    for result in evaluate(USED, snapshot_of(rows), by=by):
        for group, estimate in result.estimates.items():
            steps = result.ladders[group].steps
            assert all(before.count - after.lost == after.count for before, after in pairwise(steps))
            assert all(step.count >= 0 and step.lost >= 0 for step in steps)
            assert estimate.has_value != (math.isnan(estimate.value))
            assert estimate.reason or not math.isnan(estimate.ci_low)
            assert estimate.persons is None or estimate.persons <= max(result.episodes, 1)
        assert result.ladder.steps[0].count == result.episodes
        assert result.episodes == BESIDE.get(result.measure.table, len(rows))


@few
@given(a_clinic)
def test_bounds_hold_the_value_and_are_as_wide_as_the_unknown(rows: Rows) -> None:
    for result in of_everybody(rows, *(each for each in USED if each.estimator is Estimator.PROPORTION)):
        estimate = result.estimates[ALL]
        eligible = estimate.known + estimate.unknown
        if not estimate.has_value and result.measure.of_cohort:
            continue  # nothing to hold anybody against: there is no worst case either
        if eligible:
            assert estimate.upper_bound - estimate.lower_bound == pytest.approx(estimate.unknown / eligible)
        if estimate.has_value:
            assert estimate.lower_bound - 1e-12 <= estimate.value <= estimate.upper_bound + 1e-12
            assert estimate.ci_low <= estimate.value <= estimate.ci_high
        unknown_as_no = result.variants.get(UNKNOWN_AS_NO, {}).get(ALL, estimate)
        if eligible and result.measure.missing == "shown":
            assert unknown_as_no.value == pytest.approx(estimate.lower_bound)


@few
@given(a_clinic)
def test_groups_that_do_not_overlap_add_up(rows: Rows) -> None:
    for result in evaluate(USED, snapshot_of(rows), by=Stratifier.MODALITY):
        everybody, *groups = result.estimates.values()
        if result.measure.estimator in (Estimator.PROPORTION, Estimator.RATIO) and is_about_episodes(result.measure):
            for name in ("numerator", "denominator", "unknown", "too_recent"):
                assert getattr(everybody, name) == sum(getattr(group, name) for group in groups), name


@few
@given(a_clinic)
def test_every_pair_is_better_worse_or_neither(rows: Rows) -> None:
    for instrument in ("phq9", "gad7"):
        better, worse, neither, paired = of_everybody(
            rows,
            *(
                find(name, instrument)
                for name in (
                    "reliable_improvement",
                    "reliable_deterioration",
                    "no_reliable_change",
                    "paired_score",
                )
            ),
        )
        classes = [each.estimates[ALL].numerator for each in (better, worse, neither)]
        assert sum(classes) == paired.estimates[ALL].numerator == better.estimates[ALL].denominator


@few
@given(a_clinic)
def test_reliable_recovery_is_recovery_and_clear_improvement(rows: Rows) -> None:
    recovery, reliable, improvement = of_everybody(
        rows, *(find(name, "phq9") for name in ("recovery", "reliable_recovery", "reliable_improvement"))
    )
    assert reliable.estimates[ALL].numerator <= recovery.estimates[ALL].numerator
    assert reliable.estimates[ALL].numerator <= improvement.estimates[ALL].numerator


@few
@given(a_clinic)
def test_moves_between_bands_add_up_and_remission_is_response_where_the_line_is_ten(rows: Rows) -> None:
    moves, paired, remission, response = of_everybody(
        rows, *(find(name, "phq9") for name in ("severity_band_shift", "paired_score", "remission", "response"))
    )
    assert sum(moves.estimates[ALL].details.values()) == paired.estimates[ALL].numerator
    # Nobody who starts at 10 or more gets below 5 without halving: elsewhere it is not so, and not asked.
    assert remission.estimates[ALL].numerator <= response.estimates[ALL].numerator


@few
@given(a_clinic)
def test_people_are_no_more_than_courses_and_courses_no_more_than_episodes(rows: Rows) -> None:
    episodes, courses, people = (
        of_everybody(rows, find("completion"), unit=unit)[0].episodes for unit in ("episode", "course", "person")
    )
    assert people == len({row["person_id"] for row in rows})
    assert people <= episodes and courses <= episodes == len(rows)


EDGES: dict[str, Rows] = {
    "nobody": [],
    "one person": [{"person_id": 1, "los_days": 20}],
    "all still here": [{"person_id": n, "los_days": None} for n in range(1, 6)],
    "all in and out on one day": [{"person_id": n, "los_days": 0, "observed_days": 0} for n in range(1, 6)],
    "nothing known": [{"person_id": n, "los_days": 30, "discharge_reason": None} for n in range(1, 6)],
}
NO_SCORE = dict.fromkeys(("first", "last", "nhs_first", "nhs_last", "treated"))


@pytest.mark.parametrize("edge", EDGES)
def test_the_edges_give_a_number_or_a_sentence(edge: str) -> None:
    snapshot = snapshot_of([row | {"score": NO_SCORE} for row in EDGES[edge]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = evaluate(USED, snapshot, by=Stratifier.MODALITY)
    for result in results:
        for estimate in result.estimates.values():
            said = estimate.reason or ""
            assert estimate.has_value or said.endswith("."), (result.measure.name, said)


@few
@given(a_clinic)
def test_ways_of_leaving_and_those_still_in_add_up_to_one(rows: Rows) -> None:
    incidence, stay = of_everybody(rows, find("completion_cif"), find("retention_km"))
    curve, still_in = incidence.curves[ALL], stay.curves[ALL].values[STILL_IN]
    for shares in zip(*curve.values.values(), strict=True):
        assert math.isclose(sum(shares), 1, abs_tol=1e-12)
    assert all(later <= earlier for earlier, later in pairwise(still_in))
    assert curve.values[STILL_IN] == pytest.approx(still_in)
    for limits in (*curve.ci_low.values(), *curve.ci_high.values()):
        assert all(math.isnan(limit) or 0 <= limit <= 1 for limit in limits)
    if not rows:
        return
    # A way of leaving with the others censored overstates it: 1 - Kaplan-Meier is never below the incidence.
    days = [row["observed_days"] if row["los_days"] is None else row["los_days"] for row in rows]
    naive = kaplan_meier(days, [row["discharge_reason"] == "completed" for row in rows])
    assert all(
        share <= 1 - alone + 1e-12 for share, alone in zip(curve.values["completed"], naive.survival, strict=True)
    )


@few
@given(a_clinic, st.randoms(use_true_random=False))
def test_row_order_person_numbers_and_other_programs_change_nothing(rows: Rows, chance: Any) -> None:
    measures = [find("completion"), find("attendance"), find("readmission_30d"), find("mean_change", "phq9")]
    expected = [each.estimates for each in of_everybody(rows, *measures, where={"program_id": ("north",)})]
    others = [{**row, "person_id": row["person_id"] + 50, "program_id": "south"} for row in rows]
    renamed = [{**row, "person_id": 1000 - row["person_id"]} for row in rows]
    mixed = renamed + others
    chance.shuffle(mixed)
    again = [each.estimates for each in of_everybody(mixed, *measures, where={"program_id": ("north",)})]
    for before, after in zip(expected, again, strict=True):
        one, two = before[ALL], after[ALL]
        assert (one.numerator, one.denominator, one.persons) == (two.numerator, two.denominator, two.persons)
        assert (one.value, one.ci_low) == pytest.approx((two.value, two.ci_low), nan_ok=True)


@few
@given(a_clinic)
def test_a_reversed_scale_gives_the_same_classes(rows: Rows) -> None:
    turned = []
    for row in rows:
        reversed_scores = {
            name: 27 - value if isinstance(value, int) and name != "treated" else value
            for name, value in row["score"].items()
        }
        turned.append({**row, "score": reversed_scores})
    names = ("reliable_improvement", "reliable_deterioration", "no_reliable_change")
    measures = [find(name, "phq9") for name in names]
    mirrors = [replace(each, parameters={**each.parameters, "direction": -1, "worst_score": 0}) for each in measures]
    for forth, back in zip(of_everybody(rows, *measures), of_everybody(turned, *mirrors), strict=True):
        assert (forth.ladder, forth.estimates[ALL].unknown) == (back.ladder, back.estimates[ALL].unknown)


@few
@given(a_clinic, st.integers(1, 400))
def test_a_later_data_cut_never_takes_an_index_away(rows: Rows, later: int) -> None:
    closed = [row for row in rows if row["los_days"] is not None]
    moved = [{**row, "observed_days": row["observed_days"] + later} for row in closed]
    measures = [find("readmission_30d"), find("retention_30"), find("followup_180_reach"), find("completion")]
    for now, then in zip(
        of_everybody(closed, *measures, start="2025"),
        of_everybody(moved, *measures, start="2025"),
        strict=True,
    ):
        assert then.estimates[ALL].too_recent <= now.estimates[ALL].too_recent
        assert then.estimates[ALL].denominator >= now.estimates[ALL].denominator


@few
@given(a_clinic)
def test_completion_by_modality_against_a_plain_count(rows: Rows) -> None:
    """A second reading in plain Python: closed, reason known, completed; and one row per person."""
    (result,) = evaluate([find("completion")], snapshot_of(rows), by=Stratifier.MODALITY)
    closed = [row for row in rows if row["los_days"] is not None and row["discharge_reason"] is not None]
    known = Counter(row["modality"] or "not known" for row in closed)
    completed = Counter(row["modality"] or "not known" for row in closed if row["discharge_reason"] == "completed")
    for group, estimate in result.estimates.items():
        if group != ALL:
            assert (estimate.numerator, estimate.denominator) == (completed[group], known[group])
    (by_person,) = of_everybody(rows, find("completion"), unit="person")
    first: dict[int, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["los_days"] is None, row["start_day"])):
        first.setdefault(row["person_id"], row)
    assert by_person.episodes == len(first)
    assert by_person.ladder.steps[1].count == sum(row["los_days"] is not None for row in first.values())
