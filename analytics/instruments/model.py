"""What is known about a questionnaire: the shape of one TOML once it is read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

Better = Literal["lower", "higher"]
Evidence = Literal["V", "V2", "M", "D"]
ProfileName = Literal["default", "nhs", "strict"]
Rule = Literal[">=", "<=", "<", ">"]
Scoring = Literal["sum", "highest"]

PROFILES: Final[tuple[ProfileName, ...]] = get_args(ProfileName)


@dataclass(frozen=True)
class Fact:
    """One published value: points of the instrument (a share for `response`), and how well it is known."""

    value: float
    evidence: Evidence
    source: str


@dataclass(frozen=True)
class Population:
    """Totals of people in general, not in care: their mean and SD, and how well they are known."""

    mean: float
    sd: float
    evidence: Evidence
    source: str


@dataclass(frozen=True)
class Cutoff:
    """A limit and the side that counts: with caseness `>= 10` a total of 10 is in the clinical range."""

    value: float
    rule: Rule
    evidence: Evidence
    source: str

    def sql(self, total: str) -> str:
        """Return the SQL condition on the expression `total`; NULL where the total is NULL."""
        return f"{total} {self.rule} {self.value:g}"


@dataclass(frozen=True)
class Profile:
    """The thresholds of one way of counting; None means that none is adopted, so the measure does not exist.

    Attributes
    ----------
    caseness : the clinical range at the start. None with `caseness_by_gender` set: it depends on the person.
    caseness_by_gender : code of `gender` -> cut-off; people of another or unknown gender are "not known".
    reliable_change : improved when the change towards better is at least this many points.
    complete_only : totals with imputed items do not count.
    """

    caseness: Cutoff | None
    caseness_by_gender: Mapping[str, Cutoff]
    reliable_change: Fact | None
    complete_only: bool


@dataclass(frozen=True)
class Item:
    """One question by its number; never its text.

    Attributes
    ----------
    low, high, step : answers run from low to high, both included, in multiples of `step` from low.
    is_reversed : it counts low + high - answer.
    level : with scoring "highest", what a yes stands for; 0 otherwise.
    cluster : items of one cluster stand in for each other; 1 where there are no clusters.
    not_asked_after : a no (0) to this item means that the question is not asked, and counts as no.
    is_scored : False: it belongs to the form and counts for nothing.
    """

    number: str
    low: float
    high: float
    step: float
    is_reversed: bool = False
    level: float = 0
    cluster: int = 1
    not_asked_after: str | None = None
    is_scored: bool = True


@dataclass(frozen=True)
class Items:
    """How answers become a total: the sum of the items, or the highest level that was answered with yes."""

    items: tuple[Item, ...]
    scoring: Scoring
    evidence: Evidence
    source: str

    @property
    def scored(self) -> tuple[Item, ...]:
        """Return the items that count."""
        return tuple(item for item in self.items if item.is_scored)


@dataclass(frozen=True)
class Prorating:
    """Missing answers: with at most `max_missing` of them missing the total is filled up, otherwise there is none.

    A missing answer counts as the mean of those that were given (of the item's own cluster where there are
    clusters), and the sum is rounded half up: round_half_up(sum × items / answered). 0: complete forms only.
    """

    max_missing: int
    evidence: Evidence
    source: str


@dataclass(frozen=True)
class Code:
    """A LOINC code of the instrument; `what` is "total", "panel" or "item 9"."""

    code: str
    what: str
    evidence: Evidence


@dataclass(frozen=True)
class Scale:
    """A raw total 0 to `raw_maximum` times `factor` is the stored total; a file must say which it holds."""

    raw_maximum: float
    factor: float


@dataclass(frozen=True)
class Instrument:
    """One questionnaire, or one domain of one.

    Attributes
    ----------
    questionnaire : id of the form that is filled in; of another name than the instrument where the form has
        several domains. Domains are never added up.
    minimum, maximum, step : totals run from minimum to maximum, both included, in multiples of `step`.
    direction : +1 when a lower total is better, else -1; `(first - last) * direction` > 0 is improvement.
    ordinal : totals are ranks, not amounts: there is no mean and no sum of them.
    item_9 : a file may carry the answer to item 9 (0 to 3) beside the total; it is never imputed.
    items : None: only totals are taken (a commercial form), for the reason in `not_given["items"]`.
    bands : (name, low, high), inclusive, in ascending order; together they are the whole range.
    profiles : "default" always; "nhs" and "strict" only where their values are given.
    response : smallest share of the first total that a person must lose, or None where it is not defined.
    remission, mcid : None where no source gives one. mcid is in points.
    reliability : test-retest or internal consistency, between 0 and 1, as its source says; None where none is known.
    general_population : None where no source gives one.
    recall_days : how many days the questions look back; None where the form states none.
    every_days : how often a score is due while enrolled, in days; None: at the start only.
    not_given : what this TOML leaves out -> why.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    questionnaire: str
    construct: str
    better_phrase: str | None
    worse_phrase: str | None
    minimum: float
    maximum: float
    step: float
    better: Better
    ordinal: bool
    item_9: bool
    items: Items | None
    bands: tuple[tuple[str, float, float], ...]
    bands_evidence: Evidence
    profiles: Mapping[str, Profile]
    response: Fact | None
    remission: Cutoff | None
    mcid: Fact | None
    reliability: Fact | None
    general_population: Population | None
    recall_days: int | None
    every_days: int | None
    prorating: Prorating | None
    loinc: tuple[Code, ...]
    scale: Scale | None
    licence: str
    licence_evidence: Evidence
    notes: str
    source: str
    reviewed: date
    not_given: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name by which a file of totals may call it: id, name, aliases, LOINC codes of the whole."""
        codes = (code.code for code in self.loinc if code.what in ("total", "panel"))
        return (self.id, self.name, *self.aliases, *codes)

    @property
    def direction(self) -> Literal[-1, 1]:
        """Return +1 when a lower total is better, -1 when a higher one is."""
        return 1 if self.better == "lower" else -1

    @property
    def caseness(self) -> Cutoff | None:
        """Return the caseness of the default profile."""
        return self.profiles["default"].caseness

    @property
    def reliable_change(self) -> Fact | None:
        """Return the reliable change of the default profile."""
        return self.profiles["default"].reliable_change

    @property
    def unverified(self) -> tuple[str, ...]:
        """Return what in this TOML is from memory only (mark M), by its key, in the order of the file."""
        return tuple(dict.fromkeys(what for what, mark in self._marks() if mark == "M"))

    def _marks(self) -> Iterator[tuple[str, Evidence]]:
        yield "bands", self.bands_evidence
        yield "licence", self.licence_evidence
        for name, profile in self.profiles.items():
            cutoffs = [profile.caseness, *profile.caseness_by_gender.values()]
            yield from ((f"profiles.{name}.caseness", cut.evidence) for cut in cutoffs if cut is not None)
            if profile.reliable_change is not None:
                yield f"profiles.{name}.reliable_change", profile.reliable_change.evidence
        facts = {
            "items": self.items,
            "response": self.response,
            "remission": self.remission,
            "mcid": self.mcid,
            "reliability": self.reliability,
            "general_population": self.general_population,
            "prorating": self.prorating,
        }
        yield from ((name, fact.evidence) for name, fact in facts.items() if fact is not None)
        yield from ((f"loinc {code.code}", code.evidence) for code in self.loinc)


@dataclass(frozen=True)
class Questionnaire:
    """One form that is filled in: one TOML.

    Attributes
    ----------
    instruments : what it gives: one instrument, or one for each domain.
    names : id, name, aliases and LOINC codes: what a file of answers may call it.
    other_forms : names of other forms that are often taken for this one, and are refused.
    """

    id: str
    instruments: tuple[Instrument, ...]
    names: tuple[str, ...]
    other_forms: tuple[str, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """Return every item of the form once, in the order of the file; empty where only totals are taken."""
        found = {item.number: item for each in self.instruments if each.items for item in each.items.items}
        return tuple(found.values())
