"""One line of the overview: a headline measure now, a year before, and what may be said about the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from analytics.disclosure import Disclosed, disclosed_only
from analytics.measures.results import StratifiedResult
from analytics.measures.types import ALL
from analytics.reports.comparisons import Difference, estimate_difference
from analytics.reports.frame import whom_words
from analytics.reports.numbers import (
    Scale,
    count,
    decimal,
    difference,
    interval,
    percent,
    scale_of,
    size_words,
    value_text,
    whole,
)

MOST_CHANGES: Final = 5  # more than five changes are read by nobody


@dataclass(frozen=True)
class OverviewLine:
    """A headline measure with the year before it. `periods` is the same measure by admission period."""

    now: Disclosed[StratifiedResult]
    before: Disclosed[StratifiedResult] | None
    periods: Disclosed[StratifiedResult] | None

    @property
    def title(self) -> str:
        """Return the name of the measure."""
        return self.now.content.measure.title

    @property
    def under(self) -> str:
        """Return the line under the name: of whom, and that lower is better where it is."""
        result = self.now.content
        return f"{whom_words(result)}{' · lower is better' if result.measure.better == 'lower' else ''}"

    @property
    def value(self) -> str:
        """Return the value, or a dash."""
        estimate = self.now.content.estimates[ALL]
        return value_text(estimate.value, scale_of(self.now.content.measure, [estimate]))

    @property
    def doubt(self) -> str:
        """Return the interval, "" when there is none."""
        estimate = self.now.content.estimates[ALL]
        return interval(estimate.ci_low, estimate.ci_high) if estimate.has_value else ""

    @property
    def counted(self) -> str:
        """Return the counts behind the value, or why there is none."""
        estimate = self.now.content.estimates[ALL]
        if not estimate.has_value:
            return estimate.reason or ""
        return f"{count(estimate.numerator)} of {count(estimate.denominator)}"

    @property
    def previous(self) -> float | None:
        """Return the value of the year before, None when there is none."""
        estimate = self.before.content.estimates[ALL] if self.before else None
        return estimate.value if estimate is not None and estimate.has_value else None

    @property
    def change(self) -> Difference | None:
        """Return now minus before with its interval; None when one of them has no value."""
        if self.before is None:
            return None
        now, before = self.now.content.estimates[ALL], self.before.content.estimates[ALL]
        return estimate_difference(self.now.content.measure, now, before)

    @property
    def changed(self) -> bool:
        """True when the interval of the change excludes zero."""
        change = self.change
        return change is not None and (change.low > 0 or change.high < 0)

    @property
    def change_words(self) -> tuple[str, str]:
        """Return the change and what it was before: ("+8 points", "was 55%")."""
        change = self.change
        if change is None or self.previous is None:
            return "", ""
        return difference(change.value, change.scale), f"was {percent(self.previous)}"

    def sentence(self) -> str:
        """Return what changed: name, value, from what, how much, how sure."""
        change = self.change
        if change is None or self.previous is None:
            return ""
        direction = "up" if change.value > 0 else "down"
        more = "more" if change.value > 0 else "fewer"
        low, high = sorted((abs(change.low), abs(change.high)))
        now = self.now.content.estimates[ALL].value
        size = size_words(abs(change.value), change.scale)
        # "86%, up from 83%: 4 points more" would not add up.
        if change.scale is Scale.SHARE and whole(100 * now) - whole(100 * self.previous) != whole(100 * change.value):
            size = f"{decimal(100 * abs(change.value))} points"
        return (
            f"{self.value} {whom_words(self.now.content)}, {direction} from {percent(self.previous)}: "
            f"{size} {more}, "
            f"between {size_words(low, change.scale)} and {size_words(high, change.scale)}."
        )


@disclosed_only
def overview_line(
    now: Disclosed[StratifiedResult],
    before: Disclosed[StratifiedResult] | None,
    periods: Disclosed[StratifiedResult] | None,
) -> OverviewLine:
    """Return a line of the overview."""
    return OverviewLine(now, before, periods)


def most_changed(lines: list[OverviewLine]) -> list[OverviewLine]:
    """Return the lines that changed beyond chance, the largest change first, at most `MOST_CHANGES`."""
    changed = [(line.change, line) for line in lines if line.changed]
    ordered = sorted(changed, key=lambda pair: -abs(pair[0].value) if pair[0] else 0.0)
    return [line for _, line in ordered[:MOST_CHANGES]]


def overview_headline(lines: list[OverviewLine]) -> str:
    """Return how many headline measures changed beyond chance, and how many did not."""
    compared = [line for line in lines if line.change is not None]
    changed = sum(line.changed for line in compared)
    if not compared:
        return "No earlier year to compare with"
    steady = len(compared) - changed
    things = {0: "Nothing changed", 1: "One thing changed"}.get(changed, f"{changed} things changed")
    return f"{things} beyond chance; {steady} did not" if changed else "Nothing changed beyond chance"
