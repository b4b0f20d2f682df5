"""The catalogue: every measure there is, gathered from the constants of the family files.

A `Measure` is taken as it is; a `SymptomMeasure` becomes one measure per instrument and profile that has its
thresholds. A new measure is therefore one constant in its family's file, and a new instrument one TOML.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from types import ModuleType
from typing import Final

from analytics.errors import MeasureProblem
from analytics.instruments import PROFILES, find_instrument, load_instruments
from analytics.measures import (
    access,
    attendance,
    nhs_composite,
    readmission,
    recovery,
    retention,
    safety,
    substance_use,
    symptom_change,
    symptom_later,
    use_patterns,
)
from analytics.measures.symptom_binding import SymptomMeasure
from analytics.measures.types import Measure, Profile

# The families in the order in which they are listed, in words, with the files that hold their measures.
FAMILIES: Final[dict[str, tuple[ModuleType, ...]]] = {
    "Access": (access,),
    "Staying": (retention,),
    "Attendance": (attendance,),
    "Symptoms": (symptom_change, symptom_later, nhs_composite),
    "Safety": (safety,),
    "Substance use": (substance_use, use_patterns),
    "Recovery": (recovery,),
    "Hospital": (readmission,),
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


def _declared() -> tuple[dict[str, Measure | SymptomMeasure], dict[str, str]]:
    """Return every declaration by id, as they are written family by family, and the family of each."""
    declared: dict[str, Measure | SymptomMeasure] = {}
    families: dict[str, str] = {}
    for family, modules in FAMILIES.items():
        for value in chain.from_iterable(vars(module).values() for module in modules):
            if isinstance(value, Measure | SymptomMeasure):
                if value.id in declared:
                    raise ValueError(f"two measures are called {value.id}")
                declared[value.id] = value
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
    for declared in DECLARED.values()
    for measure in ([declared] if isinstance(declared, Measure) else _bound(declared))
)
_BY_KEY: Final = {(measure.id, measure.instrument, measure.profile): measure for measure in CATALOG}


def find(measure_id: str, instrument: str | None = None, profile: Profile = "default") -> Measure:
    """Return a measure by its id, and for a symptom measure by instrument and profile.

    Parameters
    ----------
    measure_id : as in the registry ("completion", "reliable_improvement").
    instrument : id, name or alias of the questionnaire ("phq9", "PHQ-9"); None where the measure has none.
    profile : which thresholds.

    Raises
    ------
    MeasureProblem
        There is no such measure, instrument or threshold; the message lists what there is.
    """
    declared = DECLARED.get(measure_id)
    if declared is None:
        raise MeasureProblem(f"There is no measure '{measure_id}'. There are: {', '.join(DECLARED)}.")
    if isinstance(declared, Measure):
        if instrument is not None or profile != "default":
            raise MeasureProblem(
                f"{measure_id} is not measured with a questionnaire: leave instrument and profile out."
            )
        return declared
    if instrument is None:
        raise MeasureProblem(f"{measure_id} needs an instrument: {', '.join(_instruments_of(measure_id))}.")
    found = find_instrument(instrument)
    if found is None:
        raise MeasureProblem(
            f"There is no instrument '{instrument}'. {measure_id} can be measured with: "
            f"{', '.join(_instruments_of(measure_id))}."
        )
    # Binding again would give an equal measure; the catalogue's own keeps caches by identity warm.
    return _BY_KEY.get((measure_id, found.id, profile)) or declared.bind(found, profile)


def headline() -> tuple[Measure, ...]:
    """Return the measures of the overview, in the order in which it shows them."""
    return tuple(find(*named) for group in HEADLINES.values() for named in group)


def headline_groups() -> dict[str, tuple[str, ...]]:
    """Return the headings of the overview with the names of the measures under each."""
    return {words: tuple(find(*named).name for named in group) for words, group in HEADLINES.items()}


def _instruments_of(measure_id: str) -> list[str]:
    return list(dict.fromkeys(name for each, name, _ in _BY_KEY if each == measure_id and name is not None))
