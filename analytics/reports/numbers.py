"""Numbers as they are read: whole percents, intervals that do not break, differences with a true minus."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum
from typing import Final

from analytics.measures.results import Estimate
from analytics.measures.types import Estimator, Measure
from analytics.texts import unit_words

JOINER: Final = "\u2060"  # word joiner: an interval is never broken at a line's end
MINUS: Final = "−"
NO_VALUE: Final = "–"
NARROW: Final = 0.03  # half width of an interval up to which the percent itself is said, not "x in 10"


class Scale(Enum):
    """What a value is, and so how it is written."""

    SHARE = "share"  # 0 to 1, written as percent
    POINTS = "points"  # of a score, one decimal
    PACE = "points per week"  # two decimals
    DAYS = "days"
    MONEY = "money"  # in the currency of the clinic, whole
    RATE = "rate"  # per something else, such as hours per week; one decimal


_PLACES: Final = {Scale.PACE: 2}  # decimals, where one is too coarse


def scale_of(measure: Measure, estimates: Iterable[Estimate]) -> Scale:
    """Return how the values of a measure are written; ratios above 1 are rates, not shares."""
    if measure.estimator is Estimator.MEAN:
        return {"point": Scale.POINTS, "share": Scale.SHARE}.get(measure.amount_unit, Scale.RATE)
    if measure.estimator is Estimator.MEAN_CHANGE:
        return Scale.POINTS
    if measure.estimator is Estimator.SLOPE:
        return Scale.PACE
    if measure.estimator in (Estimator.SURVIVAL, Estimator.MEDIAN):
        return Scale.DAYS if (measure.time_unit, measure.amount_unit) == ("day", "day") else Scale.RATE
    if measure.estimator is Estimator.RATE:
        return Scale.RATE
    if measure.estimator is Estimator.COST:
        return Scale.MONEY
    if measure.estimator is Estimator.CAPACITY:
        return Scale.SHARE
    values = [estimate.value for estimate in estimates if estimate.has_value]
    return Scale.RATE if max(values, default=0.0) > 1 else Scale.SHARE


def whole(value: float) -> int:
    """Round half up (away from zero), as people do; 62.5 is 63. Not for NaN."""
    # 0.285 is stored a hair below; what a person would call a half is rounded as a half.
    return int(math.copysign(math.floor(abs(value) + 0.5 + 1e-9), value))


def percent(share: float) -> str:
    """Return a share as whole percent: "62%". Never "0%" or "100%" when it is neither."""
    if math.isnan(share):
        return NO_VALUE
    if 0 < share < 0.005:
        return "under 1%"
    if 0.995 <= share < 1:
        return "over 99%"
    return f"{whole(100 * share)}%"


def decimal(value: float, places: int = 1) -> str:
    """Return a number with so many decimals and a true minus; "–" for NaN."""
    if math.isnan(value):
        return NO_VALUE
    scaled = whole(10**places * value)
    return f"{MINUS if scaled < 0 else ''}{abs(scaled) // 10**places}.{abs(scaled) % 10**places:0{places}d}"


def count(number: int) -> str:
    """Return a count with thousands: "12,345"."""
    return f"{number:,}"


def value_text(value: float, scale: Scale) -> str:
    """Return a value alone, as a column shows it: "62%", "6.8", "56"."""
    if math.isnan(value):
        return NO_VALUE
    if scale is Scale.SHARE:
        return percent(value)
    return count(whole(value)) if scale in (Scale.DAYS, Scale.MONEY) else decimal(value, _PLACES.get(scale, 1))


def value_words(value: float, scale: Scale) -> str:
    """Return a value with its unit, as a sentence says it: "62%", "6.8 points", "56 days"; "–" for NaN."""
    if math.isnan(value):
        return NO_VALUE
    if scale is Scale.POINTS:
        return f"{decimal(value)} points"
    if scale is Scale.PACE:
        return f"{value_text(value, scale)} points per week"
    if scale is Scale.DAYS:
        return f"{value_text(value, scale)} {unit_words('day', whole(value))}"
    return value_text(value, scale)


def _bare(value: float, scale: Scale) -> str:
    """Return a limit without its unit; an open upper limit (NaN beside a known lower one) has no text."""
    if math.isnan(value):
        return ""
    if scale is Scale.SHARE:
        return str(whole(100 * value))
    return value_text(value, scale)


def interval(low: float, high: float, scale: Scale = Scale.SHARE) -> str:
    """Return an interval as a column shows it: "57–67" (never broken at a line's end); "" without one."""
    if math.isnan(low) and math.isnan(high):
        return ""
    if math.isnan(high):
        return f"{_bare(low, scale)} or more"
    if low < 0 and scale is not Scale.SHARE:
        return f"{_bare(low, scale)} to {_bare(high, scale)}"  # a dash beside a minus cannot be read
    return f"{_bare(low, scale)}{JOINER}–{JOINER}{_bare(high, scale)}"


def interval_words(low: float, high: float, scale: Scale = Scale.SHARE) -> str:
    """Return an interval as a sentence says it: "57 to 67%", "6.2 to 7.4"; "" without one."""
    if math.isnan(low) and math.isnan(high):
        return ""
    if math.isnan(high):
        return f"{_bare(low, scale)} or more"
    return f"{_bare(low, scale)} to {_bare(high, scale)}{'%' if scale is Scale.SHARE else ''}"


def difference(value: float, scale: Scale = Scale.SHARE) -> str:
    """Return a difference with its sign: "+4 points", "−5 points", "±0"; shares differ in points, too."""
    if math.isnan(value):
        return NO_VALUE
    size = _size(value, scale)
    if not any(digit in "123456789" for digit in size):
        return "±0"
    return f"{'+' if value > 0 else MINUS}{size} {_unit(size, scale)}".rstrip()


def size_words(value: float, scale: Scale = Scale.SHARE) -> str:
    """Return how large a difference is, without its sign: "11 points", "1 point", "3 days"."""
    size = _size(value, scale)
    return f"{size} {_unit(size, scale)}".rstrip()


def _size(value: float, scale: Scale) -> str:
    return _bare(abs(value), scale)


def _unit(size: str, scale: Scale) -> str:
    if scale in (Scale.RATE, Scale.MONEY):
        return ""
    if scale is Scale.PACE:
        return "points per week"
    return unit_words("day" if scale is Scale.DAYS else "point", 1 if size == "1" else 2)


def day_words(day: int) -> str:
    """Return a day as people say it: "week 4" for day 28, else "day 30"."""
    return f"week {day // 7}" if day and day % 7 == 0 else f"day {day}"


def in_ten(share: float, low: float, high: float) -> str:
    """Return "About 6 in 10" when chance alone moves the share by more than 3 points either way, else "62%".

    None and all of ten are never said of a share that is neither; the percent is said instead.
    """
    tenths = whole(10 * share)
    if math.isnan(low) or (high - low) / 2 <= NARROW + 1e-9 or tenths in (0, 10):
        return percent(share)
    return f"About {tenths} in 10"


def share_words(share: float) -> str:
    """Return a share in words where it is close to a half, a third or a quarter, else as percent."""
    for fraction, name in ((1 / 4, "a quarter"), (1 / 3, "a third"), (1 / 2, "half")):
        if abs(share - fraction) <= 0.02:
            return name
    return percent(share)
