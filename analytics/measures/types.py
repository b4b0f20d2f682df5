"""The words of measurement: measure, cohort, stratifier.

A measure is a declaration (words, row expressions over one outcome table, an estimator). A cohort says which
episodes, a stratifier how they are split. `analytics.measures.evaluate` brings the three together to results
(`analytics.measures.results`). Nothing here touches a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, Literal, Protocol

from analytics.profiles import Profile

ALL: Final = "all"  # the group of everybody
NOT_KNOWN: Final = "not known"  # the group whose stratifier is NULL; codes have no blanks, so none can collide

Unit = Literal["episode", "person", "course"]
# What a number is of: the unit of the cohort, or what stands in its place where rows are no episodes.
Counted = Literal["episode", "person", "course", "request", "invitation"]


class SnapshotCursor(Protocol):
    """What `evaluate` needs of a snapshot: its name, and a read-only query that fetches plain tuples.

    One call of `query` is one cursor, so several threads may share the object.
    """

    @property
    def snapshot_id(self) -> str:
        """Return the id that is printed with every number."""
        ...

    def query(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Return all rows; `$name` in the text is bound from `parameters`, and none may be left over."""
        ...


class Table(StrEnum):
    """Outcome tables a measure can stand on."""

    EPISODE_OUTCOME = "episode_outcome"
    SCORE_OUTCOME = "score_outcome"
    REFERRAL_OUTCOME = "referral_outcome"
    SATISFACTION_OUTCOME = "satisfaction_outcome"


class Estimator(StrEnum):
    """How counts become a number with its doubt."""

    PROPORTION = "proportion"  # Wilson
    RATIO = "ratio of sums"  # sessions, tests, weeks clustered in episodes
    RATE = "events per time"  # Poisson, exact; per so many units of time
    MEDIAN = "median"  # of whole numbers such as days of waiting, with the spread around it
    MEAN = "mean"  # of totals
    MEAN_CHANGE = "mean change"  # paired first and last totals
    SLOPE = "slope of scores"  # points per week along weekly scores, mixed model
    COST = "cost per outcome"  # money of programs over those counted, by program and period
    CAPACITY = "places used"  # sessions attended of places offered, by program and period
    SURVIVAL = "survival"  # Kaplan-Meier, still in the program
    INCIDENCE = "cumulative incidence"  # Aalen-Johansen, ways of leaving


class Stratifier(StrEnum):
    """The splits. The value is the column of the outcome tables."""

    ADMIT_PERIOD = "admit_period"
    DISCHARGE_PERIOD = "discharge_period"
    MODALITY = "modality"
    THERAPY = "therapy"  # groups may overlap: then they are never summed nor tested against each other
    PLANNED_WEEKS = "planned_weeks"
    LEVEL_OF_CARE = "level_of_care"
    PROGRAM = "program_id"
    SITE = "site"
    CONDITION = "primary_condition"
    TRACK = "track"
    POPULATION = "population"
    AGE_BAND = "age_band"
    GENDER = "gender"
    PAYER = "payer_group"
    REFERRAL_SOURCE = "referral_source"
    BASELINE_SEVERITY = "baseline_severity"
    DOSE_BAND = "dose_band"
    RESPONDENT = "respondent"  # of answers, not of episodes
    AT_LANDMARK = "at_landmark"  # still in on the day from which a measure counts, or left before
    EXIT = "exit"  # known only at the end: it describes who is missing, and compares nothing


@dataclass(frozen=True)
class Cohort:
    """Which episodes are looked at.

    Attributes
    ----------
    where : column of the outcome tables (a `Stratifier` value) to the codes kept; several codes of one column
        are joined by "or", columns by "and". `NOT_KNOWN` keeps the rows whose column is NULL. For therapy an
        episode is kept when it received any of the codes. An empty mapping is everybody.
    start, end : episodes admitted from period `start` up to and including `end` ("2025-03", "2025-Q1",
        "2025"); None = open. Against a snapshot of another grain only the years are compared.
    unit : what is counted; "person" takes the first closed episode of each person in the cohort (the first
        open one of those who have not left), "course" the last episode of each course.
    """

    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    start: str | None = None
    end: str | None = None
    unit: Unit = "episode"

    @property
    def bounded_by_admission(self) -> bool:
        """True when admission periods limit the cohort, so that maturity must be applied."""
        return self.start is not None or self.end is not None or "admit_period" in self.where

    def key(self) -> tuple[object, ...]:
        """Return a hashable identity, for caches keyed by snapshot, cohort and split."""
        filters = tuple(sorted((column, tuple(sorted(codes))) for column, codes in self.where.items() if codes))
        return (filters, self.start, self.end, self.unit)


@dataclass(frozen=True)
class Measure:
    """A measure: words for three audiences, row expressions, an estimator, a source, a review date.

    Row expressions are SQL over one outcome table, constants of ours; values arrive as `$name` from
    `parameters`.

    Attributes
    ----------
    id : the registry's name. `instrument` is set on symptom measures ("phq9"); `profile` says under which thresholds,
        or by whose rules. `deviations` are the rules of that standard which do not hold here.
    title : at most 40 characters. `question` is the whole question in words. `family` is a sentence with `{per_100}`,
        or with `{value}` where the value is a number of days; None where none makes sense: `no_family` says why.
    of_whom : the denominator in words, as it stands under the title ("of people who left the program").
    did : the numerator as a verb phrase that follows "of people" ("had completed the program").
    eligible : ordered steps of the denominator ladder, words to boolean expression; NULL is false here.
        The words name those who remain after the step ("left the program").
    lost : for each step the words for those who fall out ("still in the program"), same keys as `eligible`.
    success : boolean expression; NULL = not known: neither success nor failure, always counted and shown.
    unknown_words, known_words : what not known means here ("no second score"), and the rung of those who are
        known ("measured twice").
    known_first : what must be known before the outcome can be, as a rung: who remains, condition, who falls out.
    printed : steps that are printed and take nobody out: words to the condition and the words for those who do not meet
        it; NULL is neither.
    variants : other definitions of success over the same ladder. Every PROPORTION also gets the other way to
        treat the unknown ("counting not known as no" or "of those known") without asking for it.
    weighted : for a PROPORTION, True where those known can be weighted so that they stand for all: what is not known
        is so because somebody was not reached.
    narrower : the variants that look at fewer rows: their NULL is left out, and not "not known".
    wider : for a PROPORTION, words of a variant over more rows, to the step of `eligible` that it leaves out.
    also_counted : conditions counted among the eligible, known or not, and given in `details` by these words.
    open_ended : the words among `also_counted` for rows whose like were not all counted: where there are any, nobody
        knows how many are not known, so there is no worst and best case.
    paired : for a PROPORTION asked twice, (before, after) as boolean expressions; `details` then hold the
        change among those with both answers.
    window : when it must have happened, in words; None = in the stay. is_change : from an answer to a later one.
    mature : expression applied when the split or the cohort is by admission period; fails = "too recent".
    horizon : expression always applied after `eligible`; fails = "too recent" (a window that has not
        elapsed).
    landmark : the day from which the outcome counts; nobody eligible had it before. Groups by whether people were
        still in the program on that day may then be compared.
    missing : "shown" = numerator / known; "failure" = numerator / (known + unknown).
    numerator, denominator : for RATIO, integer expressions per row (y and x of sum y / sum x).
    ratio_variants : for RATIO and MEAN, other definitions as (numerator, denominator).
    ratio_unit : what x counts, one of them ("session"); for COST what one outcome is called. per : for RATE, how many
        of them the value is per (1,000).
    amount : for MEDIAN, a whole number per row; for MEAN, a number; NULL = not known. `amount_unit` is what it counts
        ("day"; "share" is one of 0 to 1, written as percent); `amount_range` the lowest and highest there can be,
        between which the unknown lie; without one there is no lowest and highest mean.
    time_unit : for SURVIVAL, the unit of `time` and `read_at`.
    time, cause : for SURVIVAL and INCIDENCE; days, and the way of leaving: 'active' or false = still in, NULL =
        left, not known how.
    way : for INCIDENCE, the way of leaving that is the value ("completed").
    read_at : the days at which a curve is read; INCIDENCE takes the first as its value's day, or, split by
        planned length, the planned length.
    first, last : for MEAN_CHANGE, totals; `direction` is bound as `$direction`.
    of_cohort : bound values that are asked of the cohort first, by name: aggregates over the rows that pass every step.
    weekly : for SLOPE, the score of week 0, 1, 2 …, NULL where there is none; `direction` as above.
    better : which direction is good; "neutral" where neither is.
    needs : what must have been collected (columns of table `collected`); empty = the episodes file suffices.
    minimum_for_headline : fewest known units for which a headline sentence is given.
    """

    id: str
    title: str
    question: str
    of_whom: str
    did: str
    table: Table
    eligible: Mapping[str, str]
    lost: Mapping[str, str]
    estimator: Estimator
    better: Literal["higher", "lower", "neutral"]
    source: str
    reviewed: date
    family: str | None = None
    no_family: str = ""
    success: str | None = None
    unknown_words: str = "not known"
    known_words: str = "known"
    known_first: tuple[str, str, str] | None = None
    printed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)
    weighted: bool = False
    narrower: tuple[str, ...] = ()
    wider: Mapping[str, str] = field(default_factory=dict)
    also_counted: Mapping[str, str] = field(default_factory=dict)
    open_ended: str | None = None
    paired: tuple[str, str] | None = None
    window: str | None = None
    is_change: bool = False
    mature: str | None = None
    horizon: str | None = None
    horizon_words: str = "too recent"
    landmark: int | None = None
    missing: Literal["shown", "failure"] = "shown"
    numerator: str | None = None
    denominator: str | None = None
    ratio_variants: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    ratio_unit: str | None = None
    per: int = 1
    amount: str | None = None
    amount_unit: str = "day"
    amount_range: tuple[float, float] | None = None
    time_unit: Literal["day", "week"] = "day"
    time: str | None = None
    cause: str | None = None
    way: str | None = None
    read_at: tuple[int, ...] = ()
    first: str | None = None
    last: str | None = None
    of_cohort: Mapping[str, str] = field(default_factory=dict)
    weekly: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    minimum_for_headline: int = 30
    instrument: str | None = None
    profile: Profile = "default"
    deviations: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the id with its instrument and profile: `reliable_improvement(phq9)`, `completion(teds)`."""
        inside = [self.instrument, None if self.profile == "default" else self.profile]
        return f"{self.id}({', '.join(filter(None, inside))})" if any(inside) else self.id
