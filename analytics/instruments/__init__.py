"""The questionnaires, as facts: one TOML per instrument, read once, never coded.

A TOML holds ranges, bands, thresholds, codes, licence and sources of one questionnaire, and no item texts.
Every published value carries its evidence mark: `V` read in a primary or official source, `V2` read in a
secondary source only, `M` from memory and not verified (check it before it is printed), `D` a decision of
this project where no standard decides. A new instrument is one new TOML; nothing else changes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

Better = Literal["lower", "higher"]
Evidence = Literal["V", "V2", "M", "D"]
ProfileName = Literal["default", "nhs", "strict"]
Rule = Literal[">=", "<=", "<", ">"]

PROFILES: Final[tuple[ProfileName, ...]] = get_args(ProfileName)


@dataclass(frozen=True)
class Fact:
    """One published value: points of the instrument (a share for `response`), and how well it is known."""

    value: float
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
class Prorating:
    """Missing items: with at most `max_missing` of `items` missing, round_half_up(sum × items / answered)."""

    items: int
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
    minimum, maximum, step : totals run from minimum to maximum, both included, in multiples of `step`.
    direction : +1 when a lower total is better, else -1; `(first - last) * direction` > 0 is improvement.
    item_9 : a file may carry the answer to item 9 (0 to 3) beside the total.
    bands : (name, low, high), inclusive, in ascending order; together they are the whole range.
    profiles : "default" always; "nhs" and "strict" only where their values are given.
    response : smallest share of the first total that a person must lose, or None where it is not defined.
    remission, mcid : None where no source gives one. mcid is in points.
    recall_days : how many days the questions look back; None where the form states none.
    every_days : how often a score is due while enrolled, in days; None: at the start only.
    domain_of : the questionnaire of which this is one domain; domains are never added up.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    construct: str
    better_phrase: str | None
    worse_phrase: str | None
    minimum: float
    maximum: float
    step: float
    better: Better
    item_9: bool
    bands: tuple[tuple[str, float, float], ...]
    bands_evidence: Evidence
    profiles: Mapping[str, Profile]
    response: Fact | None
    remission: Cutoff | None
    mcid: Fact | None
    recall_days: int | None
    every_days: int | None
    prorating: Prorating | None
    loinc: tuple[Code, ...]
    domain_of: str | None
    scale: Scale | None
    licence: str
    licence_evidence: Evidence
    notes: str
    source: str
    reviewed: date

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


@cache
def load_instruments() -> Mapping[str, Instrument]:
    """Return all instruments by id, in alphabetical order of the id.

    Raises
    ------
    ValueError
        A TOML of this package has an unknown or missing key, or two instruments share a name.
    """
    texts = sorted((item for item in files(__package__).iterdir() if item.name.endswith(".toml")), key=str)
    instruments = {}
    for text in texts:
        try:
            instrument = _parse(tomllib.loads(text.read_text(encoding="utf-8")))
        except (KeyError, TypeError, ValueError) as problem:
            raise ValueError(f"analytics/instruments/{text.name}: {problem!r}") from problem
        if f"{instrument.id}.toml" != text.name:
            raise ValueError(f"analytics/instruments/{text.name} holds the instrument {instrument.id!r}")
        instruments[instrument.id] = instrument
    return MappingProxyType(instruments)


def instrument_form(name: str) -> str:
    """Return a name without case, blanks, hyphens and underscores: the form in which names are compared."""
    return "".join(name.split()).lower().replace("-", "").replace("_", "")


@cache
def _names() -> Mapping[str, Instrument]:
    names: dict[str, Instrument] = {}
    for instrument in load_instruments().values():
        for form in {instrument_form(name) for name in (instrument.id, instrument.name, *instrument.aliases)}:
            if form in names:
                raise ValueError(f"{names[form].id} and {instrument.id} share the name {form!r}")
            names[form] = instrument
    return names


def find_instrument(name: str) -> Instrument | None:
    """Return the instrument of that id, name or alias, without case, blanks, hyphens, underscores."""
    return _names().get(instrument_form(name))


def _parse(table: dict[str, Any]) -> Instrument:
    values = dict(table)
    given = values.pop("profiles")
    for name in given:
        _one_of(name, PROFILES)
    profiles: dict[str, Profile] = {name: _profile(given[name]) for name in PROFILES if name in given}
    if "default" not in profiles:
        raise ValueError("no profile 'default'")
    _one_of(values["better"], get_args(Better))
    return Instrument(
        aliases=tuple(values.pop("aliases", ())),
        better_phrase=values.pop("better_phrase", None),
        worse_phrase=values.pop("worse_phrase", None),
        item_9=values.pop("item_9", False),
        bands=tuple((name, float(low), float(high)) for name, low, high in values.pop("bands")),
        bands_evidence=_mark(values.pop("bands_evidence")),
        profiles=MappingProxyType(profiles),
        response=_fact(values.pop("response", None)),
        remission=_cutoff(values.pop("remission", None)),
        mcid=_fact(values.pop("mcid", None)),
        prorating=_prorating(values.pop("prorating", None)),
        recall_days=values.pop("recall_days", None),
        every_days=values.pop("every_days", None),
        loinc=tuple(_code(code) for code in values.pop("loinc", ())),
        domain_of=values.pop("domain_of", None),
        scale=Scale(**values.pop("scale")) if "scale" in values else None,
        licence_evidence=_mark(values.pop("licence_evidence")),
        notes=values.pop("notes", ""),
        **values,
    )


def _code(table: dict[str, Any]) -> Code:
    return Code(**(table | {"evidence": _mark(table["evidence"])}))


def _profile(table: dict[str, Any]) -> Profile:
    values = dict(table)
    by_gender = {code: _required_cutoff(cut) for code, cut in values.pop("caseness_by_gender", {}).items()}
    return Profile(
        caseness=_cutoff(values.pop("caseness", None)),
        caseness_by_gender=MappingProxyType(by_gender),
        reliable_change=_fact(values.pop("reliable_change", None)),
        complete_only=values.pop("complete_only", False),
        **values,
    )


def _one_of(value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")


def _mark(value: Any) -> Evidence:
    _one_of(value, get_args(Evidence))
    mark: Evidence = value
    return mark


def _fact(table: dict[str, Any] | None) -> Fact | None:
    return None if table is None else Fact(**(table | {"evidence": _mark(table["evidence"])}))


def _cutoff(table: dict[str, Any] | None) -> Cutoff | None:
    return None if table is None else _required_cutoff(table)


def _required_cutoff(table: dict[str, Any]) -> Cutoff:
    _one_of(table["rule"], get_args(Rule))
    return Cutoff(**(table | {"evidence": _mark(table["evidence"])}))


def _prorating(table: dict[str, Any] | None) -> Prorating | None:
    return None if table is None else Prorating(**(table | {"evidence": _mark(table["evidence"])}))
