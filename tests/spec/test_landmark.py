"""From a fixed day on: who is in which group, who had it before, whom nobody saw long enough."""

from typing import Any

import pytest

from analytics.errors import MeasureProblem
from analytics.measures import ALL, NOT_KNOWN, Cohort, evaluate, find
from analytics.measures.types import Stratifier
from tests.spec.outcome_tables import one, small_snapshot

Row = dict[str, Any]

# A stay of so many days, the day after leaving of the first stay in a hospital; both counted by hand.
LEFT_EARLY: list[Row] = [
    {"los_days": 10, "readmission_day": 5},  # day 15: before the landmark
    {"los_days": 10, "readmission_day": 18},  # day 28: on it, so before
    {"los_days": 10, "readmission_day": 19},  # day 29: yes
    {"los_days": 27, "readmission_day": 153},  # day 180, the last: yes
    {"los_days": 27, "readmission_day": 154},  # day 181: no
    {"los_days": 27},  # no
]
STAYED: list[Row] = [
    {"los_days": 28, "step_up_day": 28},  # on it, so before
    {"los_days": 60, "step_up_day": 40, "readmission_day": 3},  # day 40: yes
    {"los_days": 28},  # no
]
OTHERS: list[Row] = [
    {"los_days": 28, "observed_days": 179},  # too recent
    {"los_days": 20, "discharge_reason": "deceased"},  # died before
    {"los_days": 40, "discharge_reason": "deceased"},  # died later: known to have had no stay
    {"is_closed": False, "los_days": None, "exit_day": None, "observed_days": 300},  # still in the program
    {"los_days": 50, "captured_days": 129},  # seen to day 179: not known
    {"los_days": 50, "captured_days": 130},  # seen to day 180: no
]


def test_what_counts_lies_after_the_landmark_and_within_the_window() -> None:
    rows = [{"observed_days": 400} | row for row in LEFT_EARLY + STAYED + OTHERS]
    result = one(small_snapshot(rows), find("hospital_after_28"), Stratifier.AT_LANDMARK)
    found = {group: (each.numerator, each.denominator, each.unknown) for group, each in result.estimates.items()}
    assert found["left before"] == (2, 4, 0)
    assert found["still in"] == (1, 4, 1)  # no: stayed 28 days, died on day 40, seen to day 180
    assert found[ALL] == (3, 8, 1)
    assert {step.lost_label: step.lost for step in result.ladder.steps if step.lost} == {
        "still in the program": 1,
        "died by day 28": 1,
        "in a hospital by day 28": 3,
        "too recent": 1,
        "stays not visible up to day 180": 1,
        "known not to be so": 5,
    }


def test_who_is_not_known_to_have_reached_the_day_is_in_no_group() -> None:
    rows: list[Row] = [
        {"is_closed": False, "los_days": None, "exit_day": None, "observed_days": days} for days in (27, 28)
    ]
    result = one(small_snapshot(rows), find("completion_after_28"), Stratifier.MODALITY)
    assert result.estimates[ALL].denominator == 0
    landmark = one(small_snapshot(rows), find("hospital_after_28"), Stratifier.AT_LANDMARK)
    assert set(landmark.estimates) == {ALL, "still in", NOT_KNOWN}


def test_completion_of_those_still_in_leaves_out_who_left_by_that_day() -> None:
    rows: list[Row] = [
        {"los_days": 28, "discharge_reason": "completed"},
        {"los_days": 29, "discharge_reason": "completed"},
        {"los_days": 56, "discharge_reason": "lost_contact"},
        {"los_days": 57, "discharge_reason": "completed"},
    ]
    snapshot = small_snapshot([{"observed_days": 400} | row for row in rows])
    found = [one(snapshot, find(name)).estimates[ALL] for name in ("completion_after_28", "completion_after_56")]
    assert [(each.numerator, each.denominator) for each in found] == [(2, 3), (1, 1)]


def test_landmarks_are_asked_together_and_each_has_its_own_groups() -> None:
    rows = [{"observed_days": 400, "los_days": days} for days in (20, 40, 70)]
    measures = [find(f"hospital_after_{day}") for day in (28, 56, 90)] + [find("readmission_30d")]
    results = evaluate(measures, small_snapshot(rows), by=Stratifier.AT_LANDMARK)
    assert [result.estimates.get("still in") and result.estimates["still in"].denominator for result in results] == [
        2,
        1,
        None,
        None,
    ]


def test_nobody_is_filtered_by_where_they_were_then() -> None:
    snapshot = small_snapshot([{"observed_days": 400, "los_days": 40}])
    cohort = Cohort({"at_landmark": ("still in",)})
    (result,) = evaluate([find("hospital_after_28")], snapshot, cohort)
    assert not result.estimates[ALL].has_value
    assert result.estimates[ALL].reason == "Not known of episodes: where people were on that day."
    with pytest.raises(MeasureProblem, match="There is no filter"):
        evaluate([find("completion")], snapshot, Cohort({"nonsense": ("x",)}))
