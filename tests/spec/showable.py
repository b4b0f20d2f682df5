"""Small results to show: a measure, counts, a provenance; the numbers are those of the look's own example."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from analytics.disclosure import Disclosed, Provenance, internal_view
from analytics.measures.results import STILL_IN, Curve, Estimate, Ladder, LadderStep, StratifiedResult
from analytics.measures.types import Cohort, Estimator, Measure, Stratifier, Table
from analytics.statistics.proportions import wilson

PROVENANCE = Provenance(
    snapshot_id="7f3a91",
    data_as_of="31 December 2025",
    privacy_mode="synthetic",
    synthetic=True,
    tier="internal",
    banner="local session, no sign-in",
    episodes=412,
    persons=396,
)
COHORT_WORDS = "intensive outpatient · admitted January to December 2025"


def measure(**changes: Any) -> Measure:
    words: dict[str, Any] = {
        "id": "reliable_improvement",
        "title": "Clearly better, PHQ-9",
        "question": "Of the people who left, how many were clearly less depressed than at the start (PHQ-9)?",
        "of_whom": "of people who left the program",
        "did": "were clearly less depressed at the end",
        "table": Table.SCORE_OUTCOME,
        "eligible": {},
        "lost": {},
        "estimator": Estimator.PROPORTION,
        "better": "higher",
        "source": "Jacobson & Truax 1991",
        "reviewed": date(2026, 11, 21),
        "unknown_words": "not measured twice",
        "known_words": "measured twice",
        "instrument": "phq9",
    }
    return Measure(**{**words, **changes})


def share(yes: int, known: int, unknown: int = 0, **changes: Any) -> Estimate:
    """A proportion as `evaluate` makes it; `missing="failure"` counts the unknown in the denominator."""
    denominator = known + unknown if changes.get("missing") == "failure" else known
    limits = wilson(yes, denominator)
    everyone = known + unknown
    values: dict[str, Any] = {
        "value": yes / denominator if denominator else math.nan,
        "ci_low": limits.low,
        "ci_high": limits.high,
        "numerator": yes,
        "denominator": denominator,
        "persons": denominator if denominator < 200 else None,
        "unknown": unknown,
        "too_recent": 0,
        "lower_bound": yes / everyone if everyone else math.nan,
        "upper_bound": (yes + unknown) / everyone if everyone else math.nan,
        "method": "wilson",
        "unit": "episode",
        "reason": None if denominator else "Nobody matches these filters.",
    }
    return Estimate(**{**values, **changes})


def number(value: float, low: float, high: float, count: int, **changes: Any) -> Estimate:
    """A value that is no proportion of two counts: a mean, a median, an incidence, a ratio."""
    values: dict[str, Any] = {
        "value": value,
        "ci_low": low,
        "ci_high": high,
        "numerator": count,
        "denominator": count,
        "persons": count if count < 200 else None,
        "unknown": 0,
        "too_recent": 0,
        "lower_bound": math.nan,
        "upper_bound": math.nan,
        "method": "paired t",
        "unit": "point",
    }
    return Estimate(**{**values, **changes})


def ladder(*steps: tuple[Any, ...]) -> Ladder:
    return Ladder(tuple(LadderStep(*step) for step in steps))


LOOK_LADDER = ladder(
    ("admitted", 412),
    ("left the program", 398, 14, "still in the program"),
    ("measured twice", 301, 97, "not measured twice"),
    ("were clearly less depressed at the end", 187, 114, "known not to be so"),
)


def result(
    estimates: Mapping[str, Estimate],
    by: Stratifier | None = None,
    of: Measure | None = None,
    **changes: Any,
) -> StratifiedResult:
    values: dict[str, Any] = {
        "measure": of or measure(),
        "cohort": Cohort(),
        "by": by,
        "estimates": estimates,
        "ladder": LOOK_LADDER,
        "snapshot_id": "7f3a91",
    }
    return StratifiedResult(**{**values, **changes})


def shown(
    estimates: Mapping[str, Estimate],
    by: Stratifier | None = None,
    of: Measure | None = None,
    internal_minimum: int = 0,
    **changes: Any,
) -> Disclosed[StratifiedResult]:
    return internal_view(
        result(estimates, by, of, **changes), PROVENANCE, COHORT_WORDS, internal_minimum=internal_minimum
    )


def by_modality() -> dict[str, Estimate]:
    """The look's own table, and nine people whose modality is not recorded."""
    return {
        "all": share(187, 301, 97),
        "in_person": share(88, 137, 35),
        "hybrid": share(57, 88, 30),
        "telehealth": share(37, 67, 32),
        "not known": share(5, 9),
    }


def staying(*days: int, watched_until: int = 1000) -> Curve:
    """A Kaplan-Meier curve of one person per day given, all seen to leave; those later are censored."""
    left = sorted(day for day in days if day <= watched_until)
    in_program, value = len(days), 1.0
    time, at_risk, events, censored, still_in = [], [], [], [], []
    for day in sorted(set(left)):
        gone = left.count(day)
        value *= 1 - gone / in_program
        time.append(float(day))
        at_risk.append(in_program)
        events.append(gone)
        censored.append(0)
        still_in.append(value)
        in_program -= gone
    if in_program:
        time.append(float(watched_until))
        at_risk.append(in_program)
        events.append(0)
        censored.append(in_program)
        still_in.append(value)
    low, high = ([max(0.0, s - 0.1) for s in still_in], [min(1.0, s + 0.1) for s in still_in])
    return Curve(
        tuple(time),
        tuple(at_risk),
        tuple(events),
        tuple(censored),
        {STILL_IN: tuple(still_in)},
        {STILL_IN: tuple(low)},
        {STILL_IN: tuple(high)},
    )
