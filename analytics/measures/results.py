"""What comes out of a measurement: estimate, ladder, curve, test, and the result that holds them by group.

Nothing here can be drawn: `analytics.disclosure` turns a result into something showable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from analytics.measures.types import Cohort, Measure, Stratifier

STILL_IN: Final = "still in"  # the part of a curve that has not left yet


@dataclass(frozen=True)
class Estimate:
    """One number with its doubt. It cannot be drawn; `analytics.disclosure` makes it showable.

    Attributes
    ----------
    value : NaN when there is none; `reason` then says why in words. A value without limits (one cluster, one
        pair) also has a `reason`.
    ci_low, ci_high : 95 % interval, same unit as `value`.
    numerator, denominator : integers behind the value (for means: the number of pairs in both).
    persons : distinct people behind the denominator; None where it was not asked (groups of 200 or more).
    unknown : eligible, but the outcome is not known. too_recent : the window has not elapsed; never in the
        rate.
    lower_bound, upper_bound : the value if every unknown were a failure, a success; NaN where this makes no
        sense.
    missing : what the denominator holds: the known ("shown"), or known and unknown ("failure").
    method : the interval's name ("wilson"). unit : what is counted ("episode", "session", "point", "day").
    details : further named numbers (effect sizes, medians), plain floats.
    """

    value: float
    ci_low: float
    ci_high: float
    numerator: int
    denominator: int
    persons: int | None
    unknown: int
    too_recent: int
    lower_bound: float
    upper_bound: float
    method: str
    unit: str
    reason: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    missing: Literal["shown", "failure"] = "shown"

    @property
    def has_value(self) -> bool:
        """True when there is a number to speak of."""
        return not math.isnan(self.value)

    @property
    def known_share(self) -> float:
        """Return known / (known + unknown); NaN when nobody is eligible."""
        eligible = self.known + self.unknown
        return self.known / eligible if eligible else math.nan

    @property
    def known(self) -> int:
        """Return how many units have a known outcome."""
        return self.denominator - self.unknown if self.missing == "failure" else self.denominator


@dataclass(frozen=True)
class LadderStep:
    """One rung: who remains (`label`, `count`) and who fell out on the way to it (`lost_label`, `lost`)."""

    label: str
    count: int
    lost: int = 0
    lost_label: str = ""


@dataclass(frozen=True)
class Ladder:
    """From everybody in the cohort to the numerator; counts never rise, and losses are named.

    `printed` are steps that take nobody out: `lost` then counts those known not to meet them, who stay in.
    """

    steps: tuple[LadderStep, ...]
    printed: tuple[LadderStep, ...] = ()


@dataclass(frozen=True)
class Curve:
    """A step curve by whole days. All tuples have one entry per distinct day.

    Attributes
    ----------
    time : days. at_risk, events, censored : counts on that day.
    values, ci_low, ci_high : name to probability by day; `STILL_IN` for survival; for incidence one entry per
        way of leaving and `STILL_IN`, which add up to 1. NaN where no interval exists.
    median, median_low, median_high : days; NaN when the curve does not fall to one half. Survival only.
    """

    time: tuple[float, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    censored: tuple[int, ...]
    values: Mapping[str, tuple[float, ...]]
    ci_low: Mapping[str, tuple[float, ...]]
    ci_high: Mapping[str, tuple[float, ...]]
    median: float = math.nan
    median_low: float = math.nan
    median_high: float = math.nan


@dataclass(frozen=True)
class GroupTest:
    """A test that several groups are alike. Exploratory: people were not assigned by chance.

    `asks` says what it asks, beginning with "whether".
    """

    name: str
    statistic: float
    degrees_of_freedom: int
    p_value: float
    asks: str


@dataclass(frozen=True)
class DayDifference:
    """Share of `first` minus share of `second` that had left in the measure's way by `day`, with a 95 % interval."""

    first: str
    second: str
    day: int
    value: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class StratifiedResult:
    """What `evaluate()` returns for one measure.

    Attributes
    ----------
    estimates : group to estimate, in the order in which groups are shown; `ALL` is always first, `NOT_KNOWN`
        last.
    ladder : of everybody; `ladders` holds one per group. `variants` : variant's words to estimates by group.
    curves : group to curve (SURVIVAL and INCIDENCE only).
    tests : between the known groups of curves, when there are two or more that do not overlap; an INCIDENCE has two,
        which ask different things. differences : of an INCIDENCE, between each two of at most four such groups.
    overlapping : True when somebody is in two groups (therapies); groups are then never summed nor tested.
    matured : True when maturity was applied (admission period splits or limits the cohort).
    episodes, persons : in the cohort, before the ladder; persons is None when they were not asked for.
    """

    measure: Measure
    cohort: Cohort
    by: Stratifier | None
    estimates: Mapping[str, Estimate]
    ladder: Ladder
    snapshot_id: str
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    tests: tuple[GroupTest, ...] = ()
    differences: tuple[DayDifference, ...] = ()
    overlapping: bool = False
    matured: bool = False
    episodes: int = 0
    persons: int | None = None
