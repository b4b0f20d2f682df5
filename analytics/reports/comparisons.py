"""Sentences that set groups beside each other: how far apart, how sure, and what that does not prove."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from analytics.disclosure import SMALL_GROUP, Disclosed, disclosed_only
from analytics.errors import MeasureProblem
from analytics.measures.curve_comparisons import MOST_COMPARED
from analytics.measures.results import Estimate, StratifiedResult
from analytics.measures.types import ALL, NOT_KNOWN, Estimator, Measure
from analytics.reports.frame import by_when
from analytics.reports.numbers import Scale, count, scale_of, size_words, value_words
from analytics.statistics.proportions import newcombe_difference
from analytics.texts import label, split_words, words

NOT_ASSIGNED: Final = "People were not assigned by chance."
OVERLAP: Final = "A person can be in several of these groups; they do not add up."
RARE_BY_CHANCE: Final = 0.05
# Groups whose words are people ("women are", "adults are"); all others are one thing ("telehealth is").
_OF_PEOPLE: Final = frozenset({"gender", "population", "age_band"})
# Levels lie above or below each other; changes (True) are more or less.
_MORE: Final = {False: "above", True: "more"}
_LESS: Final = {False: "below", True: "less"}


@dataclass(frozen=True)
class Difference:
    """The value of one group minus that of another, with its 95% interval; NaN limits when there is none."""

    value: float
    low: float
    high: float
    scale: Scale
    day: int | None = None  # the day at which two curves are compared


@disclosed_only
def comparison_sentence(disclosed: Disclosed[StratifiedResult], group: str, other: str) -> str:
    """Return how far `group` lies from `other`, how sure that is, and that it proves no cause.

    Overlapping and small groups are not compared: the sentence says why.

    Raises
    ------
    MeasureProblem
        When one of the two groups is not in the result, or one is everybody, whom the other is part of.
    """
    result = disclosed.content
    if result.by is None or not {group, other} <= result.estimates.keys() - {ALL}:
        raise MeasureProblem("These two groups are not in this result. Choose two of its rows, not everyone.")
    if result.overlapping:
        return OVERLAP
    for name in (group, other):
        if name in disclosed.small:
            people = result.estimates[name].persons
            told = f"{count(people)}; " if people is not None and name not in disclosed.withheld else ""
            who = words(result.by.value, name)
            return f"Too few people to compare: {who} ({told}at least {SMALL_GROUP} needed)."
    gap = group_difference(result, group, other)
    if gap is None:
        first, second = words(result.by.value, group), words(result.by.value, other)
        return f"{_capital(first)} and {second} cannot be compared: one of them has no value."
    return f"{_capital(_when(gap) + _apart(result, group, other, gap))}. {NOT_ASSIGNED}"


def _when(gap: Difference) -> str:
    return "" if gap.day is None else f"on day {gap.day}, "


def _apart(result: StratifiedResult, group: str, other: str, gap: Difference) -> str:
    """Return how far two groups of a split lie from each other, without its day, a capital or a full stop."""
    by = str(result.by)
    first, second = words(by, group), words(by, other)
    change = result.measure.estimator in (Estimator.MEAN_CHANGE, Estimator.SLOPE)
    if math.isnan(gap.low) or math.isnan(gap.high):
        return f"no interval can be given for the difference between {first} and {second}"
    if gap.low <= 0 <= gap.high:
        below = f"{size_words(gap.low, gap.scale)} {_LESS[change]}"
        above = f"{_bare(gap.high, gap.scale)} {_MORE[change]}"
        return f"no clear difference between {first} and {second}: between {below} and {above}"
    near, far = sorted((abs(gap.low), abs(gap.high)))
    side = _MORE[change] if gap.value > 0 else _LESS[change]
    size = size_words(gap.value, gap.scale)
    verb = "are" if by in _OF_PEOPLE and group != NOT_KNOWN else "is"
    apart = f"improved by {size} {side} than" if change else f"{verb} {size} {side}"
    return f"{first} {apart} {second} (between {_bare(near, gap.scale)} and {_bare(far, gap.scale)})"


@disclosed_only
def overlap_sentence(disclosed: Disclosed[StratifiedResult]) -> str:
    """Return the warning that groups overlap; "" when they do not."""
    return OVERLAP if disclosed.content.overlapping else ""


@disclosed_only
def between_groups_sentence(disclosed: Disclosed[StratifiedResult]) -> str:
    """Return what the tests between all groups say, and what each asks, as exploration; "" when there was none."""
    tests = disclosed.content.tests
    sentences = []
    for number, test in enumerate(tests):
        p_value = "p under 0.001" if test.p_value < 0.001 else f"p = {test.p_value:.3f}"
        says = "differ" if test.p_value < RARE_BY_CHANCE else "do not differ"
        groups = "they" if number else "the groups"
        # Two tests of the same groups ask different things, and may answer differently.
        start = f"Asked {test.asks}" if len(tests) > 1 else "Taken together"
        told = f"{says} by more than chance alone usually makes ({test.name.replace('_', ' ')}, {p_value}; exploratory)"
        sentences.append(f"{start}, {groups} {told}.")
    return " ".join([*sentences, NOT_ASSIGNED]) if sentences else ""


def compared_groups(result: StratifiedResult, small: frozenset[str]) -> list[tuple[str, str]]:
    """Return which groups are compared: each of a few with the largest; overlapping and small ones never."""
    groups = [
        group
        for group, estimate in result.estimates.items()
        if group not in (ALL, NOT_KNOWN) and estimate.has_value and group not in small
    ]
    if result.overlapping or not 2 <= len(groups) <= MOST_COMPARED:
        return []
    largest = max(groups, key=lambda group: result.estimates[group].denominator)
    return [(group, largest) for group in groups if group != largest]


@disclosed_only
def split_headline(disclosed: Disclosed[StratifiedResult]) -> str:
    """Return what a split shows, in one sentence: the clearest difference, that there is none, or the range."""
    result = disclosed.content
    if result.by is None:
        raise MeasureProblem("Only a result with groups has a headline about them.")
    title, by = result.measure.title, split_words(result.by.value)
    if result.measure.way:
        # The title is about every way of leaving; the groups are compared by one of them.
        title = f"{label('exit', result.measure.way)} {by_when(result)}"
    pairs = [(pair, group_difference(result, *pair)) for pair in compared_groups(result, disclosed.small)]
    clear = [(pair, gap) for pair, gap in pairs if gap is not None and (gap.low > 0 or gap.high < 0)]
    if clear:
        (group, other), gap = max(clear, key=lambda item: abs(item[1].value))
        return f"{title}: {'' if result.measure.way else _when(gap)}{_apart(result, group, other, gap)}"
    if pairs:
        return f"{title}: no clear difference {by}"
    shown = [
        estimate
        for group, estimate in result.estimates.items()
        if group not in (ALL, NOT_KNOWN) and group not in disclosed.small
    ]
    scale = scale_of(result.measure, result.estimates.values())
    values = [estimate.value for estimate in shown if estimate.has_value]
    if result.measure.estimator is Estimator.SURVIVAL:
        # Many groups of a stay are drawn as the share still in on one day, so the sentence says that day.
        day = result.measure.read_at[0]
        read = [estimate.details.get(f"still_in_{day}", math.nan) for estimate in shown]
        title, scale, values = f"Still in on day {day}", Scale.SHARE, [value for value in read if not math.isnan(value)]
    if len(values) < 2:
        return f"{title}: nothing to compare {by}"
    return f"{title} {by}: from {value_words(min(values), scale)} to {value_words(max(values), scale)}"


def group_difference(result: StratifiedResult, group: str, other: str) -> Difference | None:
    """Return the difference of two groups of one result; None when one of them has no value.

    Proportions: Newcombe's interval from the counts; incidences: from their own errors. Everything else has no two
    counts to start from: the interval comes from the two groups' own limits by the same square-and-add rule (Zou and
    Donner 2008, doi:10.1002/sim.3095). Survival is compared at the first day at which it is read, not by its medians.
    """
    first, second = result.estimates[group], result.estimates[other]
    if result.measure.estimator is Estimator.SURVIVAL:
        return _still_in_difference(result, first, second)
    for gap in result.differences:
        # That of two incidences is the one that the result brings, so that text and page say the same.
        if (gap.first, gap.second) == (group, other):
            return Difference(gap.value, gap.ci_low, gap.ci_high, Scale.SHARE, gap.day)
        if (gap.second, gap.first) == (group, other):
            return Difference(-gap.value, -gap.ci_high, -gap.ci_low, Scale.SHARE, gap.day)
    return estimate_difference(result.measure, first, second)


def estimate_difference(measure: Measure, first: Estimate, second: Estimate) -> Difference | None:
    """Return first minus second of one measure, of two groups or two years; None when one has no value."""
    if not (first.has_value and second.has_value):
        return None
    scale = scale_of(measure, (first, second))
    if measure.estimator is Estimator.PROPORTION:
        limits = newcombe_difference(first.numerator, first.denominator, second.numerator, second.denominator)
        return Difference(first.value - second.value, limits.low, limits.high, scale)
    low, high = _square_and_add(
        (first.value, first.ci_low, first.ci_high), (second.value, second.ci_low, second.ci_high)
    )
    day = first.details.get("day")
    same_day = day is not None and day == second.details.get("day")
    return Difference(first.value - second.value, low, high, scale, int(day) if same_day and day else None)


def _still_in_difference(result: StratifiedResult, first: Estimate, second: Estimate) -> Difference | None:
    for day in result.measure.read_at:
        names = (f"still_in_{day}", f"still_in_{day}_low", f"still_in_{day}_high")
        one, two = (tuple(estimate.details.get(name, math.nan) for name in names) for estimate in (first, second))
        if not (math.isnan(one[0]) or math.isnan(two[0])):
            low, high = _square_and_add(one, two)
            return Difference(one[0] - two[0], low, high, Scale.SHARE, day)
    return None


def _square_and_add(one: tuple[float, ...], two: tuple[float, ...]) -> tuple[float, float]:
    """Return limits of a difference from (value, low, high) of both; NaN limits give NaN."""
    (value1, low1, high1), (value2, low2, high2) = one, two
    gap = value1 - value2
    return gap - math.hypot(value1 - low1, high2 - value2), gap + math.hypot(high1 - value1, value2 - low2)


def _bare(value: float, scale: Scale) -> str:
    """Return a size without its unit: the unit was said with the difference itself."""
    return size_words(abs(value), scale).split()[0]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
