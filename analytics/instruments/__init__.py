"""The questionnaires, as facts: one TOML per form, read once, never coded.

A TOML holds ranges, bands, thresholds, item numbers, codes, licence and sources of one questionnaire, and no item
texts. Every published value carries its evidence mark: `V` read in a primary or official source, `V2` read in a
secondary source only, `M` from memory and not verified (check it before it is printed), `D` a decision of this
project where no standard decides. A new instrument is one new TOML, here or in the folder of the program's own
instruments (`analytics.settings.instruments_folder`); nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from analytics.errors import InstrumentProblem
from analytics.instruments.model import (
    PROFILES,
    Cutoff,
    Instrument,
    Item,
    Items,
    Profile,
    ProfileName,
    Questionnaire,
    Rule,
)
from analytics.instruments.toml_reader import read_questionnaire
from analytics.settings import instruments_folder

__all__ = [
    "PROFILES",
    "Cutoff",
    "Instrument",
    "Item",
    "Items",
    "Profile",
    "ProfileName",
    "Questionnaire",
    "Rule",
    "check_names",
    "find_instrument",
    "instrument_form",
    "instrument_forms",
    "load_instruments",
    "load_questionnaires",
    "other_forms",
    "questionnaire_forms",
]


@cache
def load_questionnaires() -> Mapping[str, Questionnaire]:
    """Return all questionnaires by id, in alphabetical order of the id.

    Raises
    ------
    InstrumentProblem
        A TOML says something impossible, or two questionnaires share an id or a name.
    """
    found: dict[str, Questionnaire] = {}
    for file, text in sorted(_texts()):
        questionnaire = read_questionnaire(text, file)
        if questionnaire.id in found:
            raise InstrumentProblem(f"{file}: this questionnaire is part of the program already. Give another id.")
        found[questionnaire.id] = questionnaire
    return MappingProxyType(dict(sorted(found.items())))


def _texts() -> Iterator[tuple[str, str]]:
    """Yield name and text of every TOML: of this package, then of the program's own folder."""
    own = instruments_folder()
    for item in files(__package__).iterdir():
        if item.name.endswith(".toml"):
            yield item.name, item.read_text(encoding="utf-8")
    for path in own.glob("*.toml") if own.is_dir() else ():
        try:
            yield path.name, path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise InstrumentProblem(f"{path.name} cannot be read as UTF-8 text.") from None


@cache
def load_instruments() -> Mapping[str, Instrument]:
    """Return all instruments by id, in alphabetical order of the id; see `load_questionnaires`."""
    every = {each.id: each for form in load_questionnaires().values() for each in form.instruments}
    return MappingProxyType(dict(sorted(every.items())))


def instrument_form(name: str) -> str:
    """Return a name without case, blanks, hyphens and underscores: the form in which names are compared."""
    return "".join(name.split()).lower().replace("-", "").replace("_", "")


def _by_form(named: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """Return compared name -> id; two ids must not share a name."""
    owner: dict[str, str] = {}
    for identity, names in named:
        for form in {instrument_form(name) for name in names}:
            if owner.setdefault(form, identity) != identity:
                raise InstrumentProblem(f"{owner[form]} and {identity} share the name {form!r}. Remove it from one.")
    return owner


@cache
def instrument_forms() -> Mapping[str, str]:
    """Return every name of an instrument, as names are compared, with its id: what a file of totals may say."""
    return MappingProxyType(_by_form((each.id, each.names) for each in load_instruments().values()))


@cache
def questionnaire_forms() -> Mapping[str, str]:
    """Return every name of a questionnaire, as names are compared, with its id: what a file of answers may say."""
    return MappingProxyType(_by_form((each.id, each.names) for each in load_questionnaires().values()))


@cache
def other_forms() -> frozenset[str]:
    """Return names of forms that are often taken for one of ours, as names are compared: 70221-7 is no PCL-5."""
    others = {instrument_form(name) for each in load_questionnaires().values() for name in each.other_forms}
    if known := sorted(others & {*instrument_forms(), *questionnaire_forms()}):
        raise InstrumentProblem(f"{known[0]!r} is named as another form and as a known one. Remove one of the two.")
    return frozenset(others)


def check_names() -> None:
    """Read every questionnaire and check that no two share a name, InstrumentProblem when they do."""
    for names in (instrument_forms, questionnaire_forms, other_forms):
        names()


def find_instrument(name: str) -> Instrument | None:
    """Return the instrument of that id, name, alias or LOINC code; case, blanks, hyphens, underscores do not count."""
    found = instrument_forms().get(instrument_form(name))
    return None if found is None else load_instruments()[found]
