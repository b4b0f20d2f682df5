"""Where an axis begins and ends, and its few ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from analytics.reports.numbers import Scale, decimal, percent, whole
from analytics.reports.palette import Palette

MOST_TICKS: Final = 4  # more lines are a cage, not a grid
# A zoomed axis never shows less than this, so that noise does not look like a cliff.
LEAST_SPAN: Final = {Scale.SHARE: 0.2, Scale.POINTS: 4.0, Scale.PACE: 1.0, Scale.DAYS: 28.0, Scale.RATE: 2.0}
_STEPS: Final = {
    Scale.SHARE: (0.05, 0.1, 0.2, 0.25, 0.5),
    Scale.DAYS: (7, 14, 28, 56, 84, 168, 364),
}
WEEK_STEPS: Final = (1, 2, 4, 8, 13, 26, 52)
MOST_WEEK_TICKS: Final = 7  # their numbers of people at risk still fit side by side on a phone


def zoomed(values: Iterable[float], scale: Scale) -> tuple[float, float]:
    """Return the ends of an axis that shows all values (NaN left out) with some air around them."""
    known = [value for value in values if not math.isnan(value)]
    low, high = (min(known), max(known)) if known else (0.0, LEAST_SPAN[scale])
    missing = max(0.0, LEAST_SPAN[scale] - (high - low)) / 2
    air = 0.05 * max(high - low, LEAST_SPAN[scale])
    low, high = low - missing - air, high + missing + air
    if scale in (Scale.POINTS, Scale.PACE):
        return low, high
    low = max(low, 0.0)
    # An edge drawn exactly at the end of the axis would be cut in half.
    return low, (min(high, 1.002) if scale is Scale.SHARE else high)


def tick_values(low: float, high: float, scale: Scale) -> list[float]:
    """Return at most four round values between the ends."""
    steps = _STEPS.get(scale) or tuple(base * 10**power for power in range(-1, 4) for base in (1, 2, 5))
    ticks: list[float] = []
    for step in steps:
        first = math.ceil(low / step - 1e-9)
        ticks = [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
        if len(ticks) <= MOST_TICKS:
            break
    return ticks


def tick_words(values: list[float], scale: Scale) -> list[str]:
    """Return the words of ticks; the first carries the unit where it is not a percent sign."""
    if scale is Scale.SHARE:
        return [percent(value) for value in values]
    bare = [decimal(value).removesuffix(".0") for value in values]
    unit = {Scale.POINTS: " points", Scale.PACE: " a week", Scale.DAYS: " days"}.get(scale, "")
    return [f"{words}{unit}" if number == 0 else words for number, words in enumerate(bare)]


def value_axis(low: float, high: float, scale: Scale) -> dict[str, Any]:
    """Return a zoomed axis with its grid."""
    ticks = tick_values(low, high, scale)
    return {"range": [low, high], "tickvals": ticks, "ticktext": tick_words(ticks, scale), "showgrid": True}


def share_axis() -> dict[str, Any]:
    """Return the axis from 0 to 100% of bars, areas and curves."""
    values = [0.0, 0.25, 0.5, 0.75, 1.0]
    return {
        "range": [0, 1.002],
        "tickvals": values,
        "ticktext": [percent(value) for value in values],
        "showgrid": True,
    }


def week_axis(last_week: float, colours: Palette) -> dict[str, Any]:
    """Return the axis of weeks since the first day, from week 0."""
    ticks = week_ticks(last_week)
    return {
        "range": [0, max(last_week, 1) * 1.002],
        "tickvals": ticks,
        "ticktext": [f"week {tick}" if tick == 0 else str(tick) for tick in ticks],
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": colours.axis,
        "showline": True,
    }


def week_ticks(last_week: float) -> list[int]:
    """Return at most seven whole weeks from 0."""
    weeks = whole(math.floor(last_week + 1e-9))
    step = next((step for step in WEEK_STEPS if weeks // step < MOST_WEEK_TICKS), WEEK_STEPS[-1])
    return list(range(0, weeks + 1, step))
