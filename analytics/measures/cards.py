"""The definition that travels with every number: a card per measure, and all of them as docs/measures.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from analytics.instruments import Cutoff, find_instrument
from analytics.measures.catalog import CATALOG
from analytics.measures.estimate import other_treatment
from analytics.measures.evaluate import statement
from analytics.measures.ladder_sql import MATURE_WORDS
from analytics.measures.symptom_binding import THRESHOLD_WORDS
from analytics.measures.tally import NOT_COLLECTED
from analytics.measures.types import Estimator, Measure

INTERVALS: Final = {
    Estimator.PROPORTION: "Wilson score interval, 95 %",
    Estimator.RATIO: "95 % interval of a ratio of sums: spread between stays, t on the logit",
    Estimator.RATE: "exact Poisson interval, 95 %",
    Estimator.MEDIAN: "95 % interval from the ranks of the values",
    Estimator.MEAN_CHANGE: "95 % interval of the paired t",
    Estimator.SURVIVAL: "95 % interval by Greenwood's error on the log-log scale",
    Estimator.INCIDENCE: "95 % interval by Aalen's variance on the log-log scale",
}
BETTER: Final = {
    "higher": "higher is better",
    "lower": "lower is better",
    "neutral": "neither direction is better",
}
EVIDENCE: Final = {
    "V": "read in a primary source",
    "V2": "read in a secondary source",
    "M": "from memory, not verified",
    "D": "a decision of this project",
}
# The instrument whose words stand for a symptom measure in the document.
SHOWN_WITH: Final = "phq9"


@dataclass(frozen=True)
class ThresholdFact:
    """A threshold in use: what it is, its value with the side that counts, how well it is known, whence."""

    words: str
    value: str
    evidence: str
    source: str


@dataclass(frozen=True)
class DefinitionCard:
    """What a measure means, in the order in which it is read. Every entry is plain text.

    Attributes
    ----------
    counted, not_counted : who remains after each step, and who falls out at it.
    success : what counts as yes, in words. unknown : what happens to those not known.
    thresholds : of the instrument, with their sources; empty without an instrument.
    sql : the statements that compute it for everybody.
    """

    name: str
    title: str
    question: str
    family: str | None
    counted: tuple[str, ...]
    not_counted: tuple[str, ...]
    success: str
    unknown: str
    variants: tuple[str, ...]
    interval: str
    better: str
    needs: tuple[str, ...]
    thresholds: tuple[ThresholdFact, ...]
    notes: tuple[str, ...]
    source: str
    reviewed: date
    sql: str


def definition_card(measure: Measure) -> DefinitionCard:
    """Return the definition of a measure as it is printed beside its number."""
    horizon = (measure.horizon_words,) if measure.horizon else ()
    mature = (f"{MATURE_WORDS} (only where admission periods split or limit the view)",) if measure.mature else ()
    return DefinitionCard(
        name=measure.name,
        title=measure.title,
        question=measure.question,
        family=measure.family,
        counted=(*mature, *measure.eligible, *horizon),
        not_counted=(*(("too recent",) if mature or horizon else ()), *measure.lost.values()),
        success=measure.did,
        unknown=_unknown(measure),
        variants=_variants(measure),
        interval=INTERVALS[measure.estimator],
        better=BETTER[measure.better],
        needs=tuple(NOT_COLLECTED[name] for name in measure.needs),
        thresholds=tuple(_thresholds(measure)),
        notes=measure.notes,
        source=measure.source,
        reviewed=measure.reviewed,
        sql=statement(measure),
    )


def measures_markdown() -> str:
    """Return docs/measures.md: every measure of the catalogue with its definition."""
    parts = [
        "# Measures",
        "",
        "Generated from `analytics/measures`; do not edit. A number never travels without its denominator, "
        "its doubt, its date and its definition: these are the definitions.",
        "",
        "Outcomes count everybody who left the program, also those who came once. Not known is neither yes "
        "nor no: it is counted and shown. Split or limited by admission period, outcomes of a stay count "
        "only admissions that came long enough ago to have finished.",
        "",
    ]
    for _, measures in groupby(CATALOG, key=lambda measure: measure.id):
        parts += _section(list(measures))
    return "\n".join(parts)


def _section(measures: list[Measure]) -> Iterator[str]:
    shown = next((each for each in measures if each.instrument == SHOWN_WITH), measures[0])
    card = definition_card(shown)
    yield f"## `{shown.id}`"
    yield ""
    yield f"**{card.title}.** {card.question}"
    yield ""
    if card.family:
        yield f"*For families:* {card.family.format(per_100='N')}"
        yield ""
    yield from _bullets("Counted", (f"{label}: `{text}`" for label, text in _conditions(shown)))
    yield f"- {_yes(shown)}"
    yield f"- Not known: {card.unknown}"
    yield from (f"- Also given: {words}" for words in card.variants)
    yield f"- {card.interval}; {card.better}"
    if card.needs:
        yield f"- Needs: {', '.join(card.needs)}"
    yield from (f"- {note}" for note in card.notes)
    yield f"- Source: {card.source}. Reviewed {card.reviewed.isoformat()}."
    yield ""
    if shown.instrument is not None:
        yield from _instruments(measures)


def _conditions(measure: Measure) -> Iterator[tuple[str, str]]:
    if measure.mature:
        yield f"{MATURE_WORDS}, where admission periods split or limit the view", measure.mature
    yield from measure.eligible.items()
    if measure.horizon:
        yield measure.horizon_words, measure.horizon


def _yes(measure: Measure) -> str:
    if measure.estimator is Estimator.PROPORTION:
        return f"Yes: {measure.did}: `{measure.success}`"
    if measure.estimator is Estimator.RATIO:
        return f"Ratio: `{measure.numerator}` to `{measure.denominator}`"
    if measure.estimator is Estimator.MEAN_CHANGE:
        return f"Change from `{measure.first}` to `{measure.last}`, in points"
    if measure.estimator is Estimator.RATE:
        return f"Events: `{measure.numerator}`; per {measure.per:,} {measure.ratio_unit}s: `{measure.denominator}`"
    if measure.estimator is Estimator.MEDIAN:
        return f"Number of {measure.amount_unit}s: `{measure.amount}`"
    return f"{measure.time_unit.capitalize()}s: `{measure.time}`; way of leaving: `{measure.cause}`"


def _unknown(measure: Measure) -> str:
    if measure.estimator in (Estimator.SURVIVAL, Estimator.INCIDENCE):
        return "people who are still in the program count for the days they have been seen"
    treated = "counts as no" if measure.missing == "failure" else "not in the value; shown beside it"
    return treated if measure.unknown_words == "not known" else f"{measure.unknown_words}: {treated}"


def _variants(measure: Measure) -> tuple[str, ...]:
    own = (*measure.variants, *measure.ratio_variants)
    return (other_treatment(measure)[0], *own) if measure.estimator is Estimator.PROPORTION else own


def _thresholds(measure: Measure) -> Iterator[ThresholdFact]:
    instrument = find_instrument(measure.instrument) if measure.instrument else None
    if instrument is None:
        return
    profile = instrument.profiles[measure.profile]
    facts = {
        "caseness": profile.caseness,
        "reliable_change": profile.reliable_change,
        "response": instrument.response,
        "remission": instrument.remission,
        "mcid": instrument.mcid,
    }
    for name, words in THRESHOLD_WORDS.items():
        fact = facts[name]
        if fact is not None and name in measure.parameters:
            side = fact.rule if isinstance(fact, Cutoff) else ">="
            yield ThresholdFact(words, f"{side} {fact.value:g}", EVIDENCE[fact.evidence], fact.source)


def _instruments(measures: list[Measure]) -> Iterator[str]:
    rows = [
        (measure, " · ".join(f"{fact.words} {fact.value} ({fact.evidence}: {fact.source})" for fact in facts))
        for measure in measures
        for facts in [list(_thresholds(measure))]
    ]
    if not any(thresholds for _, thresholds in rows):
        names = dict.fromkeys(str(measure.instrument) for measure in measures)
        yield f"Instruments, without any threshold: {', '.join(names)}."
    else:
        yield "| instrument | profile | thresholds |"
        yield "|---|---|---|"
        yield from (f"| {measure.instrument} | {measure.profile} | {text} |" for measure, text in rows)
    yield ""


def _bullets(head: str, lines: Iterable[str]) -> Iterator[str]:
    listed = list(lines)
    yield f"- {head}: {'everybody admitted' if not listed else ''}".rstrip()
    yield from (f"  - {line}" for line in listed)
