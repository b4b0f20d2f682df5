"""A definition's worked example: the numbers of the snapshot that is shown, divided out."""

from __future__ import annotations

from analytics.disclosure import Disclosed, disclosed_only
from analytics.measures.cards import family_sentence, withheld
from analytics.measures.own_data import own_values_told
from analytics.measures.results import StratifiedResult
from analytics.measures.types import ALL, Estimator
from analytics.reports.numbers import count, scale_of, value_words
from analytics.reports.sentences import level_sentence
from analytics.texts import unit_words


@disclosed_only
def worked_example(disclosed: Disclosed[StratifiedResult]) -> str:
    """Return "398 of 640 = 62%", or for what is no quotient the sentence of the result."""
    result = disclosed.content
    measure, estimate = result.measure, result.estimates[ALL]
    quotients = (Estimator.PROPORTION, Estimator.RATIO, Estimator.RATE, Estimator.CAPACITY)
    if not estimate.has_value or measure.estimator not in quotients:
        return level_sentence(disclosed)
    value = value_words(estimate.value, scale_of(measure, [estimate]))
    if measure.estimator is Estimator.RATE:
        units = unit_words(estimate.unit, 2)
        events = f"{count(estimate.numerator)} in {count(estimate.denominator)} {units}"
        return f"{events} = {value} per {measure.per:,} {units}"
    quotient = f"{count(estimate.numerator)} of {count(estimate.denominator)} = {value}"
    own = own_values_told(measure, estimate.details)
    return f"{quotient} ({'; '.join(own)})" if own else quotient


@disclosed_only
def family_example(disclosed: Disclosed[StratifiedResult]) -> str:
    """Return the sentence for families with its number or with N, or why there is none; "" without any."""
    measure = disclosed.content.measure
    if measure.family is None:
        return ""
    estimate = disclosed.content.estimates[ALL]
    told = family_sentence(measure, estimate)
    if told or not estimate.has_value:
        return told or measure.family.format(per_100="N", value="N")
    if withheld(measure, estimate) == "too few":
        return "No sentence: too few people for one."
    return "No sentence: for more than half we do not know."
