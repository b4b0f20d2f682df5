"""A symptom measure before it is bound: one declaration for every instrument and profile.

The thresholds come from the instrument's TOML and from nowhere else. Binding fills in the names and the
columns and refuses, in words, what an instrument has no threshold for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from analytics.errors import MeasureProblem
from analytics.instruments import Instrument
from analytics.measures.denominators import MATURE, REVIEWED
from analytics.measures.symptom_columns import (
    THRESHOLD_WORDS,
    Threshold,
    band_moves,
    columns_of,
    threshold_facts,
)
from analytics.measures.symptom_steps import (
    BASELINE,
    HAD_BASELINE,
    STALE,
    STALE_NOTE,
    STALE_OF_ITEM_9,
    TREATED,
    Step,
    filled,
    steps_out,
)
from analytics.measures.types import Estimator, Measure, Table
from analytics.profiles import Profile

# Weeks whose latest score the outcome SQL keeps, week 0 first.
WEEKS: Final = tuple(f"week_{number}" for number in range(17))

WINDOW: Final = (
    "first score: the one nearest to admission, 14 days before to 7 days after it; last: the latest after the first, "
    "up to 7 days after leaving"
)
WINDOW_WEEKS: Final = (
    "the latest score of each week of the stay, up to 7 days after leaving; scores before admission belong to week 0"
)
WINDOW_NHS: Final = "first and last complete score of the stay"


@dataclass(frozen=True)
class SymptomMeasure:
    """A declaration that becomes one `Measure` per instrument and profile.

    Words may hold `{name}` (PHQ-9), `{better}` (less depressed), `{worse}` and, in `family`, `{per_100}`.
    Expressions hold `{first}` and `{last}` (columns of totals), `{change}` (points of improvement) and
    `{last_not_case}`, `{first_band}` and `{last_band}` (number of the band, 1 = least severe); thresholds are bound as
    `$caseness`, `$reliable_change`, `$response`, `$remission`, `$mcid`, `$reliability`. Aggregates of `of_cohort` hold
    `{sd_first}` and `{cutoff_of_our_own}`.

    Attributes
    ----------
    thresholds : what the instrument must define. With "caseness" only people who started in the clinical
        range are counted; without it everybody who left is, and no pair of scores is not known.
    everybody : True where also people still in the program count. numerator, denominator, ratio_unit : as in `Measure`.
    of_cohort, also_counted : as in `Measure`. construct : the one thing that the instrument must ask about.
    lower_only : True where the definition only makes sense when a lower total is better.
    steps : further steps of the ladder: label, condition, words for those who fall out.
    printed : steps that are printed and take nobody out: label, condition, words for those who do not meet it.
    from_baseline : True where everybody with a baseline in the clinical range is followed from that day on, whether
        or not they have left: `horizon` then says when the window is over.
    ordinal_only : for ranks, whose most severe band begins at `$top_band`.
    of_whom : the denominator in words, None = as the steps have it.
    window : when the scores are taken, in words; None = the first and last of the profile. is_change : False where the
    outcome is an answer or its being there, and not the way from one score to another.
    with_item_9 : the instrument must have item 9. with_bands : every move from band to band is counted in `details`.
    profiles : the profiles it exists in; empty = all that the instrument has. Those of a national measure take the
        instrument's usual thresholds. deviations, no_family : as in `Measure`.
    usual : the instrument that is meant where none is named; None = one has to be. needs : what else must have been
        collected, besides scores.
    """

    id: str
    title: str
    question: str
    did: str
    family: str | None
    estimator: Estimator
    better: Literal["higher", "lower", "neutral"]
    source: str
    success: str | None = None
    thresholds: tuple[Threshold, ...] = ()
    of_cohort: Mapping[str, str] = field(default_factory=dict)
    also_counted: Mapping[str, str] = field(default_factory=dict)
    construct: str | None = None
    lower_only: bool = False
    knows_everybody: bool = False
    minimum_for_headline: int = 30
    notes: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    printed: tuple[Step, ...] = ()
    from_baseline: bool = False
    everybody: bool = False
    numerator: str | None = None
    denominator: str | None = None
    ratio_unit: str | None = None
    horizon: str | None = None
    horizon_words: str = "too recent"
    missing: Literal["shown", "failure"] = "shown"
    unknown_words: str = "not measured twice"
    known_words: str = "measured twice"
    of_whom: str | None = None
    window: str | None = None
    is_change: bool = True
    with_item_9: bool = False
    ordinal_only: bool = False
    with_bands: bool = False
    profiles: tuple[Profile, ...] = ()
    deviations: tuple[str, ...] = ()
    no_family: str = ""
    usual: str | None = None
    needs: tuple[str, ...] = ()

    def bind(self, instrument: Instrument, profile: Profile = "default") -> Measure:
        """Return the measure of one instrument under one profile.

        Raises
        ------
        MeasureProblem
            The instrument is not one of change, has no such profile, lacks a threshold the measure needs, or is
            ordinal and the measure a mean.
        """
        parameters = self._parameters(instrument, profile)
        words = {
            "name": instrument.name,
            "better": instrument.better_phrase or "better",
            "worse": instrument.worse_phrase or "worse",
        }
        columns = columns_of(instrument, profile)
        among_cases = "caseness" in self.thresholds
        steps = [] if self.from_baseline or self.everybody else list(steps_out(columns, profile, among_cases))
        steps += [filled(step, columns) for step in self.steps]
        of_pairs = self.reads_last and not self.steps and HAD_BASELINE not in [label for label, _, _ in steps]
        known_first = None if not of_pairs or self.knows_everybody else filled(BASELINE, columns)
        printed = [filled(step, columns) for step in self._printed(profile, of_pairs and self.knows_everybody)]
        as_failure = profile == "nhs" and self.estimator is Estimator.PROPORTION
        success = None if self.success is None else self.success.format(**columns)
        of_cohort = {name: text.format(**columns) for name, text in self.of_cohort.items()}
        counts = {words: text.format(**columns) for words, text in self.also_counted.items()}
        counts |= band_moves(instrument, columns) if self.with_bands else {}
        asked = f"{steps}{success}{printed}{of_cohort}{counts}"
        used = {name: value for name, value in parameters.items() if f"${name}" in asked}
        mean = self.estimator is Estimator.MEAN_CHANGE
        slope = self.estimator is Estimator.SLOPE
        return Measure(
            id=self.id,
            title=self.title.format(**words),
            question=self.question.format(**words),
            of_whom=self.of_whom or self._of_whom(profile, among_cases),
            did=self.did.format(**words),
            family=None if self.family is None else self.family.format(per_100="{per_100}", **words),
            no_family=self.no_family,
            table=Table.SCORE_OUTCOME,
            eligible={label: condition for label, condition, _ in steps},
            lost={label: lost for label, _, lost in steps},
            success=success,
            unknown_words="not known" if self.knows_everybody else self.unknown_words,
            known_words="known" if self.knows_everybody else self.known_words,
            known_first=known_first,
            printed={label: (condition, others) for label, condition, others in printed},
            also_counted=counts,
            window=self.window or (WINDOW_NHS if profile == "nhs" else WINDOW),
            is_change=self.is_change,
            numerator=self.numerator,
            denominator=self.denominator,
            ratio_unit=self.ratio_unit,
            mature=None if self.from_baseline or self.everybody else MATURE,
            horizon=self.horizon,
            horizon_words=self.horizon_words,
            missing="failure" if as_failure else self.missing,
            estimator=self.estimator,
            first=columns["first"] if mean else None,
            last=columns["last"] if mean else None,
            of_cohort=of_cohort,
            weekly=WEEKS if slope else (),
            better=self.better,
            needs=(*self.needs, *(("score", "attendance") if profile == "nhs" else ("score",))),
            source=self.source,
            reviewed=min(REVIEWED, instrument.reviewed),
            notes=(*self.notes, *((STALE_NOTE,) if self.reads_last else ()), *_profile_notes(profile)),
            minimum_for_headline=self.minimum_for_headline,
            instrument=instrument.id,
            profile=profile,
            deviations=self.deviations,
            parameters=used if not (mean or slope) else {"direction": instrument.direction},
        )

    @property
    def reads_last(self) -> bool:
        """True when people are counted by the last score of the stay, or by the answer to item 9 in it."""
        if self.estimator is Estimator.MEAN_CHANGE:
            return True
        is_read = any(name in (self.success or "") for name in ("{last", "{change}", "{item_last}"))
        return is_read and self.estimator is Estimator.PROPORTION

    def _printed(self, profile: Profile, prints_baseline: bool) -> Iterator[Step]:
        """Yield the steps of the ladder that take nobody out (measures catalogue 1.4, traps 12 and 26)."""
        if self.from_baseline or self.everybody or self.estimator is Estimator.COST:
            return
        if profile != "nhs":
            yield TREATED
        if prints_baseline:
            yield BASELINE
        yield from self.printed
        if self.reads_last:
            yield STALE_OF_ITEM_9 if "{item_last}" in (self.success or "") else STALE

    def _parameters(self, instrument: Instrument, profile: Profile) -> dict[str, object]:
        if instrument.every_days is None:
            raise MeasureProblem(
                f"{instrument.name} is asked once, so there is no change to measure. "
                f"Choose an instrument that is repeated, such as PHQ-9."
            )
        if instrument.ordinal and self.estimator in (Estimator.MEAN_CHANGE, Estimator.SLOPE):
            raise MeasureProblem(
                f"{instrument.name} is a rank, not an amount: the distance from 1 to 2 is not that from 4 to 5, so "
                f"there is no mean of it."
            )
        if self.ordinal_only and not instrument.ordinal:
            raise MeasureProblem(f"{self.id} is about ranks such as the C-SSRS level; {instrument.name} is no rank.")
        if self.with_item_9 and not instrument.item_9:
            raise MeasureProblem(f"{instrument.name} has no item 9 about thoughts of death or self-harm.")
        if self.profiles and profile not in self.profiles:
            raise MeasureProblem(f"{self.id} has no profile '{profile}'. It has: {', '.join(self.profiles)}.")
        if not self.profiles and profile not in instrument.profiles:
            raise MeasureProblem(
                f"{instrument.name} has no profile '{profile}'. It has: {', '.join(instrument.profiles)}."
            )
        if self.with_bands and len(instrument.bands) < 2:
            raise MeasureProblem(
                f"{instrument.name} has no bands of severity in a source we know, so nobody can move from one to "
                f"another (analytics/instruments/{instrument.id}.toml)."
            )
        if self.lower_only and instrument.better != "lower":
            raise MeasureProblem(f"{self.id} is defined only where a lower score is better, unlike {instrument.name}.")
        if self.construct is not None and instrument.construct != self.construct:
            raise MeasureProblem(f"{self.id} is about {self.construct}; {instrument.name} asks about other things.")
        parameters: dict[str, object] = {"direction": instrument.direction}
        parameters["worst_score"] = instrument.maximum if instrument.better == "lower" else instrument.minimum
        if self.ordinal_only:
            parameters["top_band"] = instrument.bands[-1][1]
        if instrument.general_population is not None:
            parameters["general_mean"] = instrument.general_population.mean
            parameters["general_sd"] = instrument.general_population.sd
        facts = threshold_facts(instrument, profile)
        for name in self.thresholds:
            fact = facts[name]
            if fact is None:
                raise MeasureProblem(
                    f"{instrument.name} has no {THRESHOLD_WORDS[name]} in a source we know, so {self.id} "
                    f"cannot be computed for it (analytics/instruments/{instrument.id}.toml)."
                )
            parameters[name] = fact.value
        return parameters

    def _of_whom(self, profile: Profile, among_cases: bool) -> str:
        start = " who started in the clinical range" if among_cases else ""
        if self.from_baseline:
            return f"of people{start}"
        if self.everybody:
            return f"of {self.ratio_unit}s due"
        if profile == "nhs":
            came = " and" if among_cases else " who"
            return f"of people{start}{came} came at least twice and left"
        if self.knows_everybody:
            return "of people who left the program"
        return f"of people{start}{' and' if among_cases else ' who'} left"


def _profile_notes(profile: Profile) -> tuple[str, ...]:
    if profile == "nhs":
        return (
            "Profile nhs: people who came on at least two days, their first and last complete score, not "
            "measured counts as no.",
        )
    if profile == "strict":
        return ("Profile strict: the stricter published thresholds.",)
    return ()
