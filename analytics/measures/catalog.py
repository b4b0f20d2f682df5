"""The catalogue: every measure there is, gathered from the constants of the family files.

A `Measure` is taken as it is; a `SymptomMeasure` becomes one measure per instrument and profile that has its
thresholds. A new measure is therefore one constant in its family's file, and a new instrument one TOML.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby
from types import ModuleType
from typing import Final

from analytics.errors import MeasureProblem
from analytics.instruments import find_instrument, load_instruments
from analytics.measures import (
    access,
    attendance,
    efficiency,
    landmark,
    nhs_composite,
    readmission,
    recovery,
    retention,
    safety,
    satisfaction,
    substance_use,
    symptom_change,
    symptom_later,
    use_patterns,
)
from analytics.measures.symptom_binding import SymptomMeasure
from analytics.measures.types import Measure
from analytics.profiles import PROFILES, Profile

# The families in the order in which they are listed, in words, with the files that hold their measures.
FAMILIES: Final[dict[str, tuple[ModuleType, ...]]] = {
    "Access": (access,),
    "Staying": (retention, landmark),
    "Attendance": (attendance,),
    "Symptoms": (symptom_change, symptom_later, nhs_composite),
    "Safety": (safety,),
    "Substance use": (substance_use, use_patterns),
    "Recovery": (recovery,),
    "Hospital": (readmission,),
    "Satisfaction": (satisfaction,),
    "Efficiency": (efficiency,),
}

# Shares only, because the overview draws them on one axis; improvement never stands without deterioration.
# The overview: what is shown under which heading, in the order of a stay.
HEADLINES: Final[dict[str, tuple[tuple[str, str | None], ...]]] = {
    "Staying": (("retention_30", None), ("attendance", None), ("completion", None)),
    "Symptoms": (
        ("reliable_improvement", "phq9"),
        ("reliable_deterioration", "phq9"),
        ("reliable_improvement", "gad7"),
        ("reliable_deterioration", "gad7"),
    ),
    "Substance use": (("abstinence_discharge", None), ("uds_negative", None)),
    "After leaving": (("readmission_30d", None),),
    "Measuring": (("paired_score", "phq9"), ("followup_180_reach", None)),
}


def _declared() -> tuple[dict[str, tuple[Measure | SymptomMeasure, ...]], dict[str, str]]:
    """Return the declarations of every id, as they are written family by family, and the family of each id.

    A measure that is no symptom measure is declared once for each profile that it has.
    """
    declared: dict[str, tuple[Measure | SymptomMeasure, ...]] = {}
    families: dict[str, str] = {}
    for family, modules in FAMILIES.items():
        for value in chain.from_iterable(vars(module).values() for module in modules):
            if isinstance(value, Measure | SymptomMeasure):
                before = declared.get(value.id, ())
                profiles = [each.profile for each in (*before, value) if isinstance(each, Measure)]
                if before and len(set(profiles)) < len(before) + 1:
                    raise ValueError(f"two measures are called {value.id}")
                declared[value.id] = (*before, value)
                families[value.id] = family
    return declared, families


def _bound(declared: SymptomMeasure) -> Iterator[Measure]:
    for instrument in load_instruments().values():
        for profile in PROFILES:
            try:
                yield declared.bind(instrument, profile)
            except MeasureProblem:
                # No such profile or threshold, or asked only once: the measure does not exist for it; `find`
                # says why.
                continue


DECLARED, FAMILY_OF = _declared()
CATALOG: Final[tuple[Measure, ...]] = tuple(
    measure
    for declared in chain.from_iterable(DECLARED.values())
    for measure in ([declared] if isinstance(declared, Measure) else _bound(declared))
)
_BY_KEY: Final = {(measure.id, measure.instrument, measure.profile): measure for measure in CATALOG}


def find(measure_id: str, instrument: str | None = None, profile: Profile = "default") -> Measure:
    """Return a measure by its id and profile, and for a symptom measure by instrument.

    Parameters
    ----------
    measure_id : as in the registry ("completion", "reliable_improvement").
    instrument : id, name or alias of the questionnaire ("phq9", "PHQ-9"); None where the measure has none.
    profile : which thresholds, or whose rules; "default" also finds a measure that exists in one profile only.

    Raises
    ------
    MeasureProblem
        There is no such measure, instrument, profile or threshold; the message lists what there is.
    """
    declarations = DECLARED.get(measure_id)
    if declarations is None:
        raise MeasureProblem(f"There is no measure '{measure_id}'. There are: {', '.join(DECLARED)}.")
    declared = declarations[0]
    if isinstance(declared, Measure):
        if instrument is not None:
            raise MeasureProblem(f"{measure_id} is not measured with a questionnaire: leave the instrument out.")
        if profile == "default" and len(declarations) == 1:
            return declared
        found = _BY_KEY.get((measure_id, None, profile))
        if found is None:
            there = ", ".join(each.profile for each in declarations if isinstance(each, Measure))
            raise MeasureProblem(f"{measure_id} has no profile '{profile}'. It has: {there}.")
        return found
    instrument = instrument or declared.usual
    if instrument is None:
        raise MeasureProblem(f"{measure_id} needs an instrument: {', '.join(_instruments_of(measure_id))}.")
    questionnaire = find_instrument(instrument)
    if questionnaire is None:
        raise MeasureProblem(
            f"There is no instrument '{instrument}'. {measure_id} can be measured with: "
            f"{', '.join(_instruments_of(measure_id))}."
        )
    if profile == "default" and len(declared.profiles) == 1:
        (profile,) = declared.profiles
    # Binding again would give an equal measure; the catalogue's own keeps caches by identity warm.
    return _BY_KEY.get((measure_id, questionnaire.id, profile)) or declared.bind(questionnaire, profile)


def in_profile(profile: Profile = "default") -> tuple[Measure, ...]:
    """Return every measure once per questionnaire, under a profile.

    A measure without a questionnaire that does not know the profile stands as it usually does. "default" has also the
    symptom measures that exist in one profile only.
    """
    chosen = []
    for (_, instrument), group in groupby(CATALOG, key=lambda measure: (measure.id, measure.instrument)):
        by_profile = {measure.profile: measure for measure in group}
        usual = by_profile.get("default")
        if usual is None and len(by_profile) == 1 and profile == "default":
            (usual,) = by_profile.values()
        found = by_profile.get(profile) or (usual if instrument is None or profile == "default" else None)
        if found is not None:
            chosen.append(found)
    return tuple(chosen)


def headline() -> tuple[Measure, ...]:
    """Return the measures of the overview, in the order in which it shows them."""
    return tuple(find(*named) for group in HEADLINES.values() for named in group)


def headline_groups() -> dict[str, tuple[str, ...]]:
    """Return the headings of the overview with the names of the measures under each."""
    return {words: tuple(find(*named).name for named in group) for words, group in HEADLINES.items()}


def _instruments_of(measure_id: str) -> list[str]:
    return list(dict.fromkeys(name for each, name, _ in _BY_KEY if each == measure_id and name is not None))
