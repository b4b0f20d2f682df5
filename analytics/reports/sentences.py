"""What a result says, in sentences: the takeaway, the level with its doubt, and why there is no number.

Order in every sentence: number, of whom, doubt. No word claims a cause or praises; "clearly" is reliable
change and stands only in a measure's own words. Numbers come from the result, never from here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from analytics.disclosure import Disclosed, disclosed_only
from analytics.instruments import find_instrument
from analytics.measures.cards import KNOWN_FOR_HEADLINE
from analytics.measures.results import STILL_IN, Estimate, StratifiedResult
from analytics.measures.subjects import counted_as
from analytics.measures.types import ALL, Estimator, Measure
from analytics.reports.comparisons import between_groups_sentence, comparison_sentence, overlap_sentence
from analytics.reports.frame import foot, subtitle, who_is_counted
from analytics.reports.known import known_share
from analytics.reports.numbers import (
    Scale,
    count,
    day_words,
    in_ten,
    interval_words,
    percent,
    scale_of,
    share_words,
    value_text,
    value_words,
)
from analytics.texts import is_named, label, unit_words, words

__all__ = [
    "between_groups_sentence",
    "comparison_sentence",
    "foot",
    "level_sentence",
    "overlap_sentence",
    "reason_sentence",
    "subtitle",
    "takeaway",
    "who_is_counted",
]

LONGEST_TAKEAWAY: Final = 110  # two lines of the headline at 1120 px
KNOWN_ENOUGH: Final = 0.95  # from here on, of those known and of everybody are said alike


@disclosed_only
def takeaway(disclosed: Disclosed[StratifiedResult]) -> str:
    """Return the headline of a result: one full sentence on everybody, at most 110 characters, no full stop.

    Too few known, or more than half not known: the sentence says that instead of a number.
    """
    result = disclosed.content
    measure, estimate = result.measure, result.estimates[ALL]
    if not estimate.has_value and not (measure.estimator is Estimator.SURVIVAL and estimate.denominator):
        return _first_fitting([f"{measure.title}: {_lower(_reason(disclosed, ALL))}", f"{measure.title}: no value"])
    if estimate.known < measure.minimum_for_headline:
        needed = f"({count(estimate.known)}; at least {measure.minimum_for_headline} needed)"
        return f"{measure.title}: too few {_units_of(result, estimate, estimate.known)} to say {needed}"
    share = known_share(result)
    if share < KNOWN_FOR_HEADLINE:
        return f"{measure.title}: for {percent(1 - share)} we do not know, too many for a headline"
    scale = scale_of(measure, [estimate])
    if measure.estimator in (Estimator.MEAN_CHANGE, Estimator.SLOPE):
        sentences = _change_takeaways(measure, estimate)
    elif measure.estimator is Estimator.SURVIVAL:
        sentences = _stay_takeaways(measure, estimate)
    elif measure.estimator is Estimator.MEDIAN:
        sentences = _median_takeaways(measure, estimate)
    elif measure.estimator is Estimator.INCIDENCE:
        sentences = _leaving_takeaways(measure, estimate)
    elif measure.estimator in (Estimator.MEAN, Estimator.COST):
        doubt = _in_brackets(interval_words(estimate.ci_low, estimate.ci_high, scale))
        sentences = [f"{measure.title}: {value_words(estimate.value, scale)}{doubt}"]
    elif scale is Scale.SHARE:
        sentences = _share_takeaways(measure, estimate, share)
    else:
        sentences = _rate_takeaways(measure, estimate)
    return _first_fitting([*sentences, f"{measure.title}: {value_words(estimate.value, scale)}"])


@disclosed_only
def level_sentence(disclosed: Disclosed[StratifiedResult], group: str = ALL) -> str:
    """Return the value of one group with its interval, and what the missing could make of it.

    A group without a value gets the reason instead.
    """
    result = disclosed.content
    measure, estimate = result.measure, result.estimates[group]
    who = "" if group == ALL or result.by is None else f"{label(result.by.value, group)}: "
    if not estimate.has_value:
        return f"{who}{_reason(disclosed, group)}"
    scale = scale_of(measure, [estimate])
    value = value_words(estimate.value, scale)
    doubt = _in_brackets(interval_words(estimate.ci_low, estimate.ci_high, scale))
    counted, units = count(estimate.denominator), _units_of(result, estimate, estimate.denominator)
    if measure.estimator is Estimator.PROPORTION:
        of_known = estimate.unknown and estimate.missing == "shown"
        base = f"{counted} {measure.known_words if of_known else units}"
        return f"{who}{value} of the {base} {measure.did}{doubt}. {_missing_sentence(measure, estimate)}".rstrip()
    if measure.estimator is Estimator.RATIO:
        if scale is Scale.SHARE:
            told = f"{value} of the {counted} {units} {measure.did}{doubt}"
        else:
            told = f"On average {value} per {unit_words(estimate.unit, 1)}{doubt}"
        return f"{who}{told}.{_left_out(measure, estimate)}"
    if measure.estimator is Estimator.RATE:
        time = f"{count(measure.per)} {unit_words(estimate.unit, measure.per)}"
        return f"{who}{measure.title}: {value} per {time}{doubt}, from {count(estimate.numerator)} in {counted}."
    if measure.estimator is Estimator.MEDIAN:
        most = f"{_amount(measure, estimate)} or less{doubt}"
        told = f"Half of the {counted} {units} {measure.known_words} {measure.did} {most}"
        return f"{who}{told}.{_left_out(measure, estimate)}"
    if measure.estimator is Estimator.COST:
        return f"{who}{measure.title}: {value}{doubt}, {count(estimate.numerator)} for {counted}.{_if_better(estimate)}"
    if measure.estimator is Estimator.CAPACITY:
        return f"{who}{value} of the {counted} {measure.of_whom.removeprefix('of ')} {measure.did}{doubt}."
    if measure.estimator is Estimator.MEAN:
        told = f"{measure.title}: {value}{doubt}, from {counted} {measure.known_words}"
        return f"{who}{told}.{_mean_of_everybody(measure, estimate)}"
    if measure.estimator in (Estimator.MEAN_CHANGE, Estimator.SLOPE):
        scores = f"{_scores(measure)} of the {counted} {units} {measure.known_words}"
        told = f"On average, {scores} {_rose_or_fell(estimate, scale)}{doubt}"
        return f"{who}{told}.{_left_out(measure, estimate)}"
    if measure.estimator is Estimator.SURVIVAL:
        when = f"{measure.time_unit} {value_text(estimate.value, Scale.DAYS)}"
        limits = _in_brackets(interval_words(estimate.ci_low, estimate.ci_high, Scale.DAYS))
        return f"{who}From {when}{limits} on, half or fewer of the {counted} {units} {measure.did}."
    day = day_words(int(estimate.details["day"])) if "day" in estimate.details else "the end"
    return f"{who}By {day}, {value} of the {counted} {units} {measure.did}{doubt}."


@disclosed_only
def reason_sentence(disclosed: Disclosed[StratifiedResult], group: str = ALL) -> str:
    """Return why a group has no value, or no interval, and what would help; "" when it has both."""
    return _reason(disclosed, group)


def _reason(disclosed: Disclosed[StratifiedResult], group: str) -> str:
    result = disclosed.content
    estimate = result.estimates[group]
    if estimate.reason is None:
        return "" if estimate.has_value else "There is no value."
    filters = [(column, codes) for column, codes in result.cohort.where.items() if codes]
    if filters and estimate.reason.startswith("Nobody matches these filters."):
        column, codes = filters[-1]
        return f"{estimate.reason} Remove {' or '.join(label(column, code) for code in codes)}."
    return estimate.reason


def _rate_takeaways(measure: Measure, estimate: Estimate) -> Iterable[str]:
    doubt = _in_brackets(interval_words(estimate.ci_low, estimate.ci_high, Scale.RATE))
    yield f"{measure.title}: {value_words(estimate.value, Scale.RATE)} on average{doubt}"


def _share_takeaways(measure: Measure, estimate: Estimate, known: float) -> Iterable[str]:
    share, unknown = estimate.value, 1 - known
    how_many = in_ten(share, estimate.ci_low, estimate.ci_high)
    everyone, did = _whom(measure.of_whom), measure.did
    # "7 in 10 people", but "68% of people".
    joined = everyone if how_many.endswith("in 10") else measure.of_whom
    if estimate.missing == "failure":
        if unknown >= 0.005:
            yield f"{how_many} {joined} {did}; the {percent(unknown)} we do not know are not among them"
            yield f"{how_many} {joined} {did}; {percent(unknown)} unknown, not among them"
            yield f"{measure.title}: {percent(share)}; the {percent(unknown)} not known are not among them"
            return
    elif math.isnan(estimate.lower_bound) or known >= KNOWN_ENOUGH:
        if unknown >= 0.005:
            yield f"{how_many} {joined} {did}; for {share_words(unknown)} we do not know"
    else:
        of_known = f"{how_many} of those {measure.known_words} {did}"
        low, high = percent(estimate.lower_bound), percent(estimate.upper_bound)
        yield f"{of_known}; counting everyone, it lies between {low} and {high}"
        yield f"{of_known}; counting everyone, {low} to {high}"
        yield f"{of_known}; for {share_words(unknown)} we do not know"
        yield f"{measure.title}: {percent(share)} of those known, {low} to {high} counting everyone"
        return
    yield f"{how_many} {joined} {did}"


def _change_takeaways(measure: Measure, estimate: Estimate) -> Iterable[str]:
    limits, scale = (estimate.ci_low, estimate.ci_high), scale_of(measure, [estimate])
    scores = f"{_scores(measure)} of those {measure.known_words}"
    if min(limits) <= 0 <= max(limits):
        between = f"between {value_words(abs(limits[0]), scale)} worse and {value_text(limits[1], scale)} better"
        yield f"No clear change in {_scores(measure)} of those {measure.known_words}: {between}"
        yield f"{measure.title}: no clear change, {between}"
        return
    doubt = _in_brackets(interval_words(*limits, scale))
    yield f"{scores} {_rose_or_fell(estimate, scale)} on average{doubt}"
    yield f"{_scores(measure)} {_rose_or_fell(estimate, scale)} on average{doubt}"


def _median_takeaways(measure: Measure, estimate: Estimate) -> Iterable[str]:
    scale = scale_of(measure, [estimate])
    doubt = _in_brackets(interval_words(estimate.ci_low, estimate.ci_high, scale))
    yield f"Half {measure.of_whom} {measure.did} {_amount(measure, estimate)} or less{doubt}"


def _amount(measure: Measure, estimate: Estimate) -> str:
    """Return a median with its unit; days bring theirs."""
    scale = scale_of(measure, [estimate])
    if scale is Scale.DAYS:
        return value_words(estimate.value, scale)
    return f"{estimate.value:g} {unit_words(measure.amount_unit, 1 if estimate.value == 1 else 2)}"


def _when(measure: Measure, number: str) -> str:
    return f"on day {number}" if measure.time_unit == "day" else f"in week {number}"


def _stay_takeaways(measure: Measure, estimate: Estimate) -> Iterable[str]:
    whom, did = measure.of_whom, measure.did
    # A curve over weeks falls in large steps: where it crosses one half it may be far below.
    if estimate.has_value and measure.time_unit == "day":
        doubt = _in_brackets(interval_words(estimate.ci_low, estimate.ci_high, Scale.DAYS))
        yield f"Half {whom} {did} {_when(measure, value_text(estimate.value, Scale.DAYS))}{doubt}"
    for day in measure.read_at:
        share = estimate.details.get(f"still_in_{day}", math.nan)
        if not math.isnan(share):
            low, high = estimate.details[f"still_in_{day}_low"], estimate.details[f"still_in_{day}_high"]
            doubt = _in_brackets(interval_words(low, high))
            yield f"{_when(measure, str(day)).capitalize()}, {percent(share)} {whom} {did}{doubt}"
    yield f"More than half {whom} {did} when last seen"


def _leaving_takeaways(measure: Measure, estimate: Estimate) -> Iterable[str]:
    shares = {way: share for way, share in estimate.details.items() if is_named("exit_done", way)}
    chosen = str(measure.way)
    others = sorted((way for way in shares if way != chosen), key=lambda way: -shares[way])
    if "day" not in estimate.details or chosen not in shares:
        return
    day = day_words(int(estimate.details["day"]))
    start = f"By {day}, {percent(shares[chosen])} had {words('exit_done', chosen)}"
    if others and shares[others[0]] >= 0.005:
        second = f"{percent(shares[others[0]])} had {words('exit_done', others[0])}"
        still = estimate.details.get(STILL_IN, 0.0)
        if still >= 0.005:
            yield f"{start}, {second} and {percent(still)} were still here"
        yield f"{start}; {second}"
    yield start


def _whom(of_whom: str) -> str:
    """Return "people who left" from "of people who left", as it follows "6 in 10"."""
    if not of_whom.startswith("of "):
        return f"of {of_whom}"
    bare = of_whom.removeprefix("of ")
    return of_whom if bare.split()[0] in ("all", "everyone", "the", "these", "those") else bare


def _missing_sentence(measure: Measure, estimate: Estimate) -> str:
    """Return what the value would be if all of the unknown were a no, or a yes; "" when nobody is unknown."""
    if not estimate.unknown or math.isnan(estimate.lower_bound):
        return ""
    which = f"the {count(estimate.unknown)} we do not know about"
    which += "" if measure.unknown_words == "not known" else f" ({measure.unknown_words})"
    low, high = percent(estimate.lower_bound), percent(estimate.upper_bound)
    if estimate.missing == "failure":
        return f"Here {which} are not among them; if all were, it would be {high}."
    return f"If none of {which} were among them, it would be {low}; if all were, {high}."


def _if_better(estimate: Estimate) -> str:
    """Return the lowest possible cost: what it would be if all of the unknown had the outcome."""
    if not estimate.unknown:
        return ""
    low = value_text(estimate.lower_bound, Scale.MONEY)
    return f" If all of the {count(estimate.unknown)} we do not know about had it, it would be {low}."


def _mean_of_everybody(measure: Measure, estimate: Estimate) -> str:
    """Return what a mean would be if the unknown were the lowest, or the highest there can be."""
    if not estimate.unknown or math.isnan(estimate.lower_bound):
        return _left_out(measure, estimate)
    which = f"the {count(estimate.unknown)} we do not know about ({measure.unknown_words})"
    scale = scale_of(measure, [estimate])
    low, high = (value_text(bound, scale) for bound in (estimate.lower_bound, estimate.upper_bound))
    return f" With the lowest value for {which}, it would be {low}; with the highest, {high}."


def _left_out(measure: Measure, estimate: Estimate) -> str:
    """Return who is missing from a value that has no bounds."""
    return f" Not counted: {count(estimate.unknown)} ({measure.unknown_words})." if estimate.unknown else ""


def _scores(measure: Measure) -> str:
    """Return what changed: "PHQ-9 scores"."""
    instrument = find_instrument(measure.instrument) if measure.instrument else None
    return f"{instrument.name} scores" if instrument else "Scores"


def _rose_or_fell(estimate: Estimate, scale: Scale) -> str:
    # A positive change is improvement for every instrument; whether the number rose depends on the scale.
    verb = "improved" if estimate.value >= 0 else "worsened"
    return f"{verb} by {value_words(abs(estimate.value), scale)}"


def _units_of(result: StratifiedResult, estimate: Estimate, number: int) -> str:
    """Return what the denominator counts: sessions, or episodes, people, courses also behind points and days."""
    # The days and weeks of a ratio are its denominator; those of a median or a curve are its value.
    counts_units = result.measure.estimator in (Estimator.RATIO, Estimator.RATE)
    is_value = estimate.unit in ("point", "share", "hour", "day", "week") and not counts_units
    return unit_words(counted_as(result.measure, result.cohort.unit) if is_value else estimate.unit, number)


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _lower(text: str) -> str:
    text = text.removesuffix(".")
    return text[:1].lower() + text[1:]


def _first_fitting(candidates: Iterable[str]) -> str:
    """Return the first sentence that fits the headline; the last one always should."""
    listed = list(candidates)
    return next((text for text in listed if len(text) <= LONGEST_TAKEAWAY), listed[-1][:LONGEST_TAKEAWAY])
