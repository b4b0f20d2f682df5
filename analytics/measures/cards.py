"""The definition that travels with every number: a card per measure, made of its declaration alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from analytics.instruments import Cutoff, find_instrument
from analytics.measures.catalog import FAMILY_OF
from analytics.measures.estimate import WEIGHTED, other_treatment
from analytics.measures.evaluate import statement
from analytics.measures.ladder_sql import MATURE_WORDS
from analytics.measures.nhs_composite import PARTS
from analytics.measures.results import Estimate
from analytics.measures.subjects import everybody_words, period_steps
from analytics.measures.surveyor import surveyors_definition, window_words
from analytics.measures.symptom_columns import THRESHOLD_WORDS, threshold_facts
from analytics.measures.tally import NOT_COLLECTED
from analytics.measures.types import Estimator, Measure
from analytics.profiles import Profile

INTERVALS: Final = {
    Estimator.PROPORTION: "Wilson score interval, 95 %",
    Estimator.RATIO: "95 % interval of a ratio of sums: spread between stays, t on the logit",
    Estimator.RATE: "exact Poisson interval, 95 %",
    Estimator.MEDIAN: "95 % interval from the ranks of the values",
    Estimator.MEAN: "95 % interval of the mean by t",
    Estimator.MEAN_CHANGE: "95 % interval of the paired t",
    Estimator.SLOPE: "95 % Wald interval of a linear mixed model (REML)",
    Estimator.COST: "95 % interval from 2,000 samples of periods",
    Estimator.CAPACITY: "95 % interval from 2,000 samples of periods",
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
DESCRIBES: Final = "It describes what became of people during care or after it, and does not say what caused it."
# Regression to the mean and natural course stand next to every change from before to after.
CHANGE: Final = (
    "Change during care, not caused by care: people come when things are at their worst, and much gets better without "
    "treatment (regression to the mean, natural course)."
)
UNTREATED_DEPRESSION: Final = (
    "Of people with depression who were not treated, 23 % had recovered after 3 months, 32 % after 6 and 53 % after 12 "
    "(Whiteford 2013). On waiting lists their scores fell by 10 to 15 % (Posternak 2001)."
)
NO_COURSE: Final = (
    "How much of this happens without treatment is not known to us from a source that we have read: no figure stands "
    "beside it."
)
REACHED: Final = (
    "by severity at the start, age, track and way of leaving; it cannot mend that people are out of reach because they "
    "relapsed"
)
# With less known there is no headline (measures catalogue 1.6).
KNOWN_FOR_HEADLINE: Final = 0.5
# Amounts, of which there is no yes and no.
AMOUNTS: Final = (Estimator.MEDIAN, Estimator.MEAN, Estimator.MEAN_CHANGE, Estimator.SLOPE)
BOUNDS: Final = "lowest and highest possible value: every not known a no, every not known a yes"


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
    group : the measure's family, in words ("Staying"). family : the sentence for families, with
        `{per_100}` or `{value}`; no_family : why there is none.
    surveyor : the definition in one sentence. counted, not_counted : who remains after each step, who falls out.
    success : what counts as yes, or what is measured (success_head says which), in words.
    window : when it must have happened.
    unknown : what happens to those not known. also_missing : the other ways to treat them, given beside it.
    variants : other definitions over the same people.
    profile : which thresholds or whose rules, None where there is one way only. deviations : rules of that standard
        that do not hold here. thresholds : those in use, with how well they are known.
    minimum : fewest known units for which there is a headline, in words. limits : what it does not say.
    sql : the statements that compute it for everybody.
    """

    name: str
    title: str
    group: str
    question: str
    family: str | None
    no_family: str
    surveyor: str
    counted: tuple[str, ...]
    not_counted: tuple[str, ...]
    success_head: str
    success: str
    window: str
    unknown: str
    also_missing: tuple[str, ...]
    variants: tuple[str, ...]
    interval: str
    better: str
    minimum: str
    needs: tuple[str, ...]
    profile: str | None
    deviations: tuple[str, ...]
    thresholds: tuple[ThresholdFact, ...]
    notes: tuple[str, ...]
    limits: tuple[str, ...]
    source: str
    reviewed: date
    sql: str


def definition_card(measure: Measure) -> DefinitionCard:
    """Return the definition of a measure as it is printed beside its number."""
    horizon = (measure.horizon_words,) if measure.horizon else ()
    periods = period_steps(measure)
    split_only = measure.mature is not None and not periods
    mature = (f"{MATURE_WORDS} (only where admission periods split or limit the view)",) if split_only else ()
    return DefinitionCard(
        name=measure.name,
        title=measure.title,
        group=FAMILY_OF[measure.id],
        question=measure.question,
        family=measure.family,
        no_family=measure.no_family,
        surveyor=surveyors_definition(measure),
        counted=(*mature, *(label for label, _ in periods), *measure.eligible, *horizon) or (everybody_words(measure),),
        not_counted=(
            *(("too recent",) if mature or horizon else ()),
            *(lost for _, lost in periods),
            *measure.lost.values(),
        ),
        success_head="Measured" if measure.estimator in AMOUNTS else "Counts as yes",
        success=measure.did,
        window=window_words(measure),
        unknown=_unknown(measure),
        also_missing=_also_missing(measure),
        variants=(*measure.variants, *measure.wider, *measure.ratio_variants),
        interval=INTERVALS[measure.estimator],
        better=BETTER[measure.better],
        minimum=f"{measure.minimum_for_headline} known {_units(measure)} for a headline",
        needs=tuple(NOT_COLLECTED[name] for name in measure.needs),
        profile=measure.profile if measure.instrument or measure.profile != "default" else None,
        deviations=measure.deviations,
        thresholds=tuple(_thresholds(measure)),
        notes=measure.notes,
        limits=tuple(_limits(measure)),
        source=measure.source,
        reviewed=measure.reviewed,
        sql=statement(measure),
    )


def family_sentence(measure: Measure, estimate: Estimate) -> str | None:
    """Return the sentence for families with its number; None without one, with too few behind it, or too few known.

    `estimate` is shown as it is: what may not be shown is taken out before (`analytics.disclosure`).
    """
    if measure.family is None or not estimate.has_value or withheld(measure, estimate):
        return None
    told = measure.family.format(per_100=f"{100 * estimate.value:.0f}", value=f"{round(estimate.value, 1):g}")
    return f"{told}{_for_the_others(measure, estimate)}"


def withheld(measure: Measure, estimate: Estimate) -> Literal["too few", "too few known"] | None:
    """Return why there is no sentence for a value that there is; None when there is one."""
    if estimate.known < measure.minimum_for_headline:
        return "too few"
    return "too few known" if estimate.known_share < KNOWN_FOR_HEADLINE else None


def _for_the_others(measure: Measure, estimate: Estimate) -> str:
    """Return for how many of 100 there is no answer, where the sentence before leaves them out; else ""."""
    if measure.estimator is not Estimator.PROPORTION or estimate.missing == "failure" or not estimate.unknown:
        return ""
    others = 100 * (1 - estimate.known_share)
    how_many = "fewer than 1" if others < 0.5 else f"about {others:.0f}"
    return f" For {how_many} of every 100 {measure.of_whom.removeprefix('of ')} we do not know."


def _also_missing(measure: Measure) -> tuple[str, ...]:
    if measure.estimator is not Estimator.PROPORTION:
        return ()
    return (other_treatment(measure)[0], BOUNDS, *([f"{WEIGHTED} ({REACHED})"] if measure.weighted else []))


def _units(measure: Measure) -> str:
    return f"{measure.ratio_unit}s" if measure.ratio_unit and measure.estimator is Estimator.RATIO else "outcomes"


def _limits(measure: Measure) -> Iterator[str]:
    if not measure.is_change and measure.paired is None:
        yield DESCRIBES
        return
    yield CHANGE
    instrument = find_instrument(measure.instrument) if measure.instrument else None
    if instrument is not None and "depression" in instrument.construct:
        yield UNTREATED_DEPRESSION
    else:
        yield NO_COURSE


def _unknown(measure: Measure) -> str:
    if measure.estimator is Estimator.INCIDENCE or measure.cause == "is_closed":
        return "people who are still in the program count for the days they have been seen"
    if measure.estimator is Estimator.SURVIVAL:
        return f"people count up to the last {measure.time_unit} in which they were seen"
    treated = "counts as no" if measure.missing == "failure" else "not in the value; shown beside it"
    return treated if measure.unknown_words == "not known" else f"{measure.unknown_words}: {treated}"


def _thresholds(measure: Measure) -> Iterator[ThresholdFact]:
    """Yield the thresholds that a measure binds, of its questionnaire or of the two of the English rule."""
    if measure.instrument is not None:
        yield from _of_instrument(measure.instrument, measure.profile, measure.parameters)
        return
    for part, instrument in PARTS.items():
        bound = {f"{part}_case": "caseness", f"{part}_change": "reliable_change"}
        used = [kind for name, kind in bound.items() if name in measure.parameters]
        yield from _of_instrument(instrument, "nhs", used, f"{instrument}: ")


def _of_instrument(name: str, profile: Profile, used: Iterable[str], start: str = "") -> Iterator[ThresholdFact]:
    instrument = find_instrument(name)
    if instrument is None:
        return
    facts = threshold_facts(instrument, profile)
    for kind, words in THRESHOLD_WORDS.items():
        fact = facts[kind]
        if fact is not None and kind in used:
            side = fact.rule if isinstance(fact, Cutoff) else "" if kind == "reliability" else ">="
            value = f"{side} {fact.value:g}".strip()
            yield ThresholdFact(f"{start}{words}", value, EVIDENCE[fact.evidence], fact.source)
    if instrument.general_population is not None and "general_mean" in used:
        people = instrument.general_population
        words = f"{start}mean and SD of people in general"
        value = f"{people.mean:g} and {people.sd:g}"
        yield ThresholdFact(words, value, EVIDENCE[people.evidence], people.source)
    if "top_band" in used:
        band, lowest, _ = instrument.bands[-1]
        words = f"{start}band {band.replace('_', ' ')}"
        yield ThresholdFact(words, f">= {lowest:g}", EVIDENCE[instrument.bands_evidence], instrument.source)
