"""The surveyor's sentence: numerator, denominator, exclusions, window, missing data and source of a measure.

It is made of the declaration and of nothing else, so that it cannot say what is not counted.
"""

from __future__ import annotations

from typing import Final

from analytics.measures.subjects import period_steps, subject_of
from analytics.measures.tally import NOT_COLLECTED
from analytics.measures.types import Estimator, Measure

# Where a sentence says "people" and counts their stays.
PEOPLE: Final = (Estimator.PROPORTION, Estimator.SURVIVAL, Estimator.INCIDENCE)
DURING_THE_STAY: Final = "during the stay, from admission to leaving or to the last day seen"


def surveyors_definition(measure: Measure) -> str:
    """Return the definition of a measure as one sentence in the style of a measure specification."""
    parts = [*_counted(measure), f"exclusions: {_exclusions(measure)}", f"window: {window_words(measure)}"]
    if measure.estimator is Estimator.PROPORTION:
        treated = "counts as no" if measure.missing == "failure" else "in neither, and reported"
        parts.append(f"missing data: {measure.unknown_words}: {treated}")
    sources = (*subject_of(measure).sources, *(NOT_COLLECTED[name] for name in measure.needs))
    parts.append(f"data source: {', '.join(sources)}")
    if subject_of(measure).counted.get("episode") == "episode" and measure.estimator in PEOPLE:
        parts.append("unit: the stay; a person who came twice counts twice unless persons are asked for")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def window_words(measure: Measure) -> str:
    """Return when what is counted must have happened."""
    return measure.window or DURING_THE_STAY


def those_known(measure: Measure) -> str:
    """Return what follows "people who left" where the unknown are left out: ", measured twice"; "" without words."""
    return "" if measure.known_words == "known" else f", {measure.known_words}"


def _counted(measure: Measure) -> tuple[str, ...]:
    """Return what is divided by what, or what is summed up over whom."""
    whom = measure.of_whom.removeprefix("of ").removeprefix("the ")
    points = ", ".join(map(str, measure.read_at))
    if measure.estimator is Estimator.PROPORTION:
        known = "" if measure.missing == "failure" else those_known(measure)
        return f"numerator: people who {measure.did}", f"denominator: {whom}{known}"
    if measure.estimator is Estimator.RATIO:
        return f"numerator: {measure.ratio_unit}s that {measure.did}", f"denominator: {whom}"
    if measure.estimator is Estimator.RATE:
        return f"numerator: people who {measure.did}", f"denominator: {whom}, in units of {measure.per:,}"
    if measure.estimator is Estimator.MEDIAN:
        return f"value: median of {measure.amount_unit}s", f"population: {whom}"
    if measure.estimator is Estimator.COST:
        return "numerator: cost of the programs in the period", f"denominator: people who {measure.did}"
    if measure.estimator is Estimator.CAPACITY:
        return "numerator: sessions attended", f"denominator: {whom} offered"
    if measure.estimator is Estimator.MEAN:
        mean = "mean of the shares" if measure.amount_unit == "share" else f"mean number of {measure.amount_unit}s"
        return f"value: {mean}", f"population: {whom}"
    if measure.estimator is Estimator.MEAN_CHANGE:
        return "value: mean of the differences of first and last score, plus is better", f"population: {whom}"
    if measure.estimator is Estimator.SLOPE:
        return "value: points per week along a line through weekly scores (mixed model), plus is better", (
            f"population: {whom}"
        )
    share = f"value: share of people who {measure.did}"
    if measure.estimator is Estimator.SURVIVAL:
        return f"{share}, after {points} {measure.time_unit}s (Kaplan–Meier)", f"population: {whom}"
    return f"{share}, by day {points} (Aalen–Johansen)", f"population: {whom}"


def _exclusions(measure: Measure) -> str:
    recent = (measure.horizon_words.replace("at least", "less than"),) if measure.horizon else ()
    periods = (lost for _, lost in period_steps(measure))
    return ", ".join((*periods, *measure.lost.values(), *recent)) or "none"
