"""Read and check one questionnaire's TOML; every complaint is a sentence that names the file and the key.

The keys stand in `docs/questionnaires.md`. What a TOML leaves out it explains under `[not_given]`, so that a gap is
never an oversight.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, cast, get_args

from analytics.errors import InstrumentProblem
from analytics.instruments.item_reader import read_items
from analytics.instruments.model import (
    PROFILES,
    Better,
    Code,
    Cutoff,
    Fact,
    Instrument,
    Items,
    Population,
    Profile,
    ProfileName,
    Prorating,
    Questionnaire,
    Rule,
    Scale,
)
from analytics.instruments.section import Section

# What may be left out only with a reason.
EXPLAINED: Final = (
    "aliases",
    "items",
    "prorating",
    "recall_days",
    "every_days",
    "loinc",
    "caseness",
    "reliable_change",
    "response",
    "remission",
    "mcid",
)
_ID: Final = "[a-z][a-z0-9_]{0,31}"
_BAND: Final = "[a-z0-9_]{1,22}"
_LOINC: Final = r"\d{1,7}-\d"
_LONGEST_NAME: Final = 24  # what fits into a headline
_LARGEST_TOTAL: Final = 1023  # what the store keeps


def read_questionnaire(text: str, file: str) -> Questionnaire:
    """Return the questionnaire of one TOML.

    Parameters
    ----------
    text : the whole TOML. file : its name, which begins every complaint; without ".toml" it must be the id.

    Raises
    ------
    InstrumentProblem
        The text is no TOML, a key is missing, unknown or impossible, or values contradict each other.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise InstrumentProblem(f"{file} is no valid TOML: {problem}.") from None
    whole = Section(file, content)
    identity = whole.must("id", str)
    if not re.fullmatch(_ID, identity) or f"{identity}.toml" != file:
        raise whole.wrong("id", "this must be the name of the file without .toml: small letters, digits and _.")
    other_forms = whole.texts("other_forms")
    domains = whole.may("domains", dict, {})
    content.pop("other_forms", None)
    content.pop("domains", None)
    if not domains:
        instrument = _InstrumentReader(Section(file, content), identity).read()
        return Questionnaire(identity, (instrument,), instrument.names, other_forms)
    names = (identity, whole.must("name", str), *whole.texts("aliases"))
    shared = {key: value for key, value in content.items() if key not in ("id", "name", "aliases")}
    instruments = []
    for domain, given in domains.items():
        if not isinstance(given, dict):
            raise whole.wrong(f"domains.{domain}", "this must be a table.")
        section = Section(file, _joined(shared, {"id": domain} | given), f"domains.{domain}.")
        instruments.append(_InstrumentReader(section, identity).read())
    return Questionnaire(identity, tuple(instruments), names, other_forms)


def _joined(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a domain says, and what the form says for all of them; of tables, key by key."""
    joined = {**shared, **own}
    for key in shared.keys() & own.keys():
        if isinstance(shared[key], dict) and isinstance(own[key], dict):
            joined[key] = {**shared[key], **own[key]}
    return joined


class _InstrumentReader:
    """Reads one instrument; the checks across keys come last."""

    def __init__(self, section: Section, questionnaire: str) -> None:
        self._section = section
        self._questionnaire = questionnaire

    def read(self) -> Instrument:
        take = self._section
        items = take.table("items")
        prorating, scale = take.table("prorating"), take.table("scale")
        instrument = Instrument(
            id=take.must("id", str),
            name=take.must("name", str),
            aliases=take.texts("aliases"),
            questionnaire=self._questionnaire,
            construct=take.must("construct", str),
            better_phrase=take.must("better_phrase", str),
            worse_phrase=take.must("worse_phrase", str),
            minimum=take.must("minimum", float),
            maximum=take.must("maximum", float),
            step=take.must("step", float),
            better=cast(Better, take.one_of("better", get_args(Better))),
            ordinal=take.may("ordinal", bool, False),
            item_9=take.may("item_9", bool, False),
            items=None if items is None else read_items(items),
            bands=self._bands(),
            bands_evidence=take.mark("bands_evidence"),
            profiles=self._profiles(),
            response=self._fact(take, "response"),
            remission=self._cutoff(take, "remission"),
            mcid=self._fact(take, "mcid"),
            reliability=self._fact(take, "reliability"),
            general_population=self._population(take.table("general_population")),
            recall_days=take.must("recall_days", int) if take.has("recall_days") else None,
            every_days=take.must("every_days", int) if take.has("every_days") else None,
            prorating=None if prorating is None else self._prorating(prorating),
            loinc=tuple(self._code(code) for code in take.tables("loinc")),
            scale=None if scale is None else self._scale(scale),
            licence=take.must("licence", str),
            licence_evidence=take.mark("licence_evidence"),
            notes=take.may("notes", str, ""),
            source=take.must("source", str),
            reviewed=take.must("reviewed", date),
            not_given=MappingProxyType(take.may("not_given", dict, {})),
        )
        take.close()
        self._check(instrument)
        return instrument

    # --- parts --------------------------------------------------------------------------------------------------

    def _bands(self) -> tuple[tuple[str, float, float], ...]:
        bands = []
        for band in self._section.must("bands", list):
            right = isinstance(band, list) and len(band) == 3 and isinstance(band[0], str)
            if not right or not all(isinstance(end, int | float) for end in band[1:]):
                raise self._section.wrong("bands", 'each band must be like ["mild", 5, 9].')
            if not re.fullmatch(_BAND, band[0]):
                raise self._section.wrong("bands", "a band has a name of 1 to 22 small letters, digits and _.")
            bands.append((band[0], float(band[1]), float(band[2])))
        return tuple(bands)

    def _profiles(self) -> Mapping[str, Profile]:
        given = self._section.table("profiles")
        if given is None or not given.has("default"):
            raise self._section.wrong("profiles.default", "this is missing; it may be an empty table.")
        for name in given.names():
            if name not in PROFILES:
                raise given.wrong(name, f"a profile is one of {', '.join(PROFILES)}.")
        profiles: dict[ProfileName, Profile] = {}
        for name in PROFILES:
            profile = given.table(name)
            if profile is None:
                continue
            by_gender = profile.table("caseness_by_gender")
            genders = () if by_gender is None else by_gender.names()
            cutoffs = {} if by_gender is None else {code: self._must_cutoff(by_gender, code) for code in genders}
            profiles[name] = Profile(
                caseness=self._cutoff(profile, "caseness"),
                caseness_by_gender=MappingProxyType(cutoffs),
                reliable_change=self._fact(profile, "reliable_change"),
                complete_only=profile.may("complete_only", bool, False),
            )
            profile.close()
        return MappingProxyType(cast(dict[str, Profile], profiles))

    @staticmethod
    def _fact(section: Section, key: str) -> Fact | None:
        table = section.table(key)
        if table is None:
            return None
        fact = Fact(table.must("value", float), table.mark(), table.must("source", str))
        table.close()
        return fact

    def _cutoff(self, section: Section, key: str) -> Cutoff | None:
        return self._must_cutoff(section, key) if section.has(key) else None

    @staticmethod
    def _must_cutoff(section: Section, key: str) -> Cutoff:
        table = section.table(key)
        assert table is not None
        rule = cast(Rule, table.one_of("rule", get_args(Rule)))
        cutoff = Cutoff(table.must("value", float), rule, table.mark(), table.must("source", str))
        table.close()
        return cutoff

    @staticmethod
    def _population(table: Section | None) -> Population | None:
        if table is None:
            return None
        people = Population(table.must("mean", float), table.must("sd", float), table.mark(), table.must("source", str))
        table.close()
        return people

    @staticmethod
    def _prorating(table: Section) -> Prorating:
        prorating = Prorating(table.must("max_missing", int), table.mark(), table.must("source", str))
        table.close()
        return prorating

    @staticmethod
    def _scale(table: Section) -> Scale:
        scale = Scale(table.must("raw_maximum", float), table.must("factor", float))
        table.close()
        return scale

    @staticmethod
    def _code(table: Section) -> Code:
        code = Code(table.must("code", str), table.must("what", str), table.mark())
        if not re.fullmatch(_LOINC, code.code):
            raise table.wrong("code", "a LOINC code is like 44261-6.")
        table.close()
        return code

    # --- what must fit together ---------------------------------------------------------------------------------

    def _check(self, instrument: Instrument) -> None:
        wrong = self._section.wrong
        if not re.fullmatch(_ID, instrument.id):
            raise wrong("id", "an id has 1 to 32 small letters, digits and _, and begins with a letter.")
        if len(instrument.name) > _LONGEST_NAME:
            raise wrong("name", f"this must have at most {_LONGEST_NAME} characters; longer names are aliases.")
        if not 0 <= instrument.minimum < instrument.maximum <= _LARGEST_TOTAL or instrument.step <= 0:
            raise wrong("maximum", f"totals run from minimum to a larger maximum, within 0 to {_LARGEST_TOTAL}.")
        if instrument.scale and instrument.scale.raw_maximum * instrument.scale.factor != instrument.maximum:
            raise wrong("scale", "raw_maximum times factor must be the maximum.")
        self._check_bands(instrument)
        self._check_thresholds(instrument)
        if instrument.items is not None:
            self._check_items(instrument, instrument.items)
        self._check_reasons(instrument)

    def _check_bands(self, instrument: Instrument) -> None:
        names = [name for name, _, _ in instrument.bands]
        steps = [(round(low / instrument.step), round(high / instrument.step)) for _, low, high in instrument.bands]
        whole = instrument.bands and (instrument.bands[0][1], instrument.bands[-1][2]) == (
            instrument.minimum,
            instrument.maximum,
        )
        joined = all(after[0] == before[1] + 1 for before, after in pairwise(steps))
        if not whole or not joined or any(low > high for low, high in steps) or len(set(names)) < len(names):
            raise self._section.wrong(
                "bands", "the bands must cover minimum to maximum in order, without gap or overlap, each name once."
            )

    def _check_thresholds(self, instrument: Instrument) -> None:
        width = instrument.maximum - instrument.minimum
        for name, profile in instrument.profiles.items():
            for cut in (profile.caseness, *profile.caseness_by_gender.values()):
                if cut is None:
                    continue
                if not instrument.minimum <= cut.value <= instrument.maximum:
                    raise self._section.wrong(f"profiles.{name}.caseness", "this must lie within the range.")
                if (cut.rule in (">", ">=")) != (instrument.better == "lower"):
                    raise self._section.wrong(
                        f"profiles.{name}.caseness", "the clinical range must lie on the side that is not better."
                    )
        facts = {f"profiles.{name}.reliable_change": each.reliable_change for name, each in instrument.profiles.items()}
        for key, fact in {**facts, "mcid": instrument.mcid}.items():
            if fact is not None and not 0 < fact.value < width:
                raise self._section.wrong(key, "this must be above 0 and smaller than the range.")

        if instrument.reliability is not None and not 0 < instrument.reliability.value < 1:
            raise self._section.wrong("reliability", "this must be above 0 and below 1.")
        people = instrument.general_population
        if people is not None and not (instrument.minimum <= people.mean <= instrument.maximum and people.sd > 0):
            raise self._section.wrong("general_population", "the mean must lie within the range, and the sd above 0.")

    def _check_items(self, instrument: Instrument, items: Items) -> None:
        wrong = self._section.wrong
        if instrument.prorating is None:
            raise wrong("prorating", "say how many answers may be missing (max_missing); 0 is complete forms only.")
        scored = items.scored
        if not 0 <= instrument.prorating.max_missing < len(scored) / 2:
            raise wrong("prorating.max_missing", "fewer than half of the answers may be missing.")
        if items.scoring == "highest":
            lowest, highest = 0.0, max(item.level for item in scored)
        else:
            factor = instrument.scale.factor if instrument.scale else 1
            lowest = factor * sum(item.low for item in scored)
            highest = factor * sum(item.high for item in scored)
        if (lowest, highest) != (instrument.minimum, instrument.maximum):
            raise wrong(
                "items", f"the answers give totals from {lowest:g} to {highest:g}, not from minimum to maximum."
            )
        if instrument.item_9 and "9" not in {item.number for item in scored}:
            raise wrong("item_9", "there is no item 9.")

    def _check_reasons(self, instrument: Instrument) -> None:
        default = instrument.profiles["default"]
        given = {name: getattr(instrument, name, None) for name in EXPLAINED} | {
            "caseness": default.caseness is not None or bool(default.caseness_by_gender),
            "reliable_change": default.reliable_change,
        }
        reasons: Mapping[str, Any] = instrument.not_given
        for name, reason in reasons.items():
            if name not in EXPLAINED or not isinstance(reason, str) or not reason.strip():
                raise self._section.wrong(f"not_given.{name}", f"give a reason for one of {', '.join(EXPLAINED)}.")
            if given[name]:
                raise self._section.wrong(f"not_given.{name}", "this is given, so there is nothing to explain.")
        for name in EXPLAINED:
            if not given[name] and name not in reasons:
                raise self._section.wrong(name, "give this, or say under [not_given] why it is not given.")
