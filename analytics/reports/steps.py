"""Reading a step curve: its value on a day, who is still watched then, and where it should end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

from analytics.measures.results import Curve
from analytics.measures.types import Measure

LEAST_AT_RISK: Final = 10  # a curve ends where fewer are left to watch: one person then moves it too far


def is_of_staying(measure: Measure) -> bool:
    """Return whether a curve falls when people leave the program, and not when something else happens to them."""
    return measure.cause in (None, "is_closed")


def share_words(measure: Measure) -> str:
    """Return what a point of the curve is: "Share still in the program"."""
    return "Share still in the program" if is_of_staying(measure) else f"Share of people who {measure.did}"


def last_day_of(curve: Curve) -> float:
    """Return the last day with at least ten at risk; of a smaller group, the last day at all."""
    watched = [day for day, at_risk in zip(curve.time, curve.at_risk, strict=True) if at_risk >= LEAST_AT_RISK]
    return max(watched or curve.time, default=0.0)


def value_at(curve: Curve, values: Sequence[float], day: float, before: float) -> float:
    """Return a step curve's value on a day; `before` is its value before the first step."""
    number = bisect_right(curve.time, day)
    return values[number - 1] if number else before


def at_risk_at(curve: Curve, week: int) -> int:
    """Return how many were still in and watched at the start of the week's first day."""
    number = bisect_left(curve.time, 7 * week)
    return curve.at_risk[number] if number < len(curve.time) else 0


def left_out_by(curve: Curve, week: int) -> int:
    """Return how many were last seen in the program before that day: nobody knows how long they stay."""
    return sum(curve.censored[: bisect_left(curve.time, 7 * week)])
