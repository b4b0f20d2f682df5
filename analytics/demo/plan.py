"""The made-up provider: its sites, programs, calendar, and the codes its files use.

Everything here is invented. Shares are those of people who start for the first time; people who come back
shift them a little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.demo.columns import MISSING, Flags, Floats, Ints, day_number, weekday

FIRST_ADMISSION: Final = day_number("2023-10-02")  # a Monday
LAST_ADMISSION: Final = day_number("2026-09-24")
DATA_CUT: Final = day_number("2026-09-30")
IMPORT_DATE: Final = day_number("2026-10-05")
REMINDER_CALLS: Final = day_number("2025-07-01")  # the first day of month 22 of 36

MODALITIES: Final = ("in_person", "hybrid", "telehealth")
LEVELS: Final = ("PHP", "IOP", "inpatient", "residential", "detox")
TRACKS: Final = ("mental_health", "substance_use", "co_occurring")
POPULATIONS: Final = ("adult", "adolescent")
BANDS: Final = ("mild", "moderate", "moderately_severe", "severe")  # PHQ-9 5-9, 10-14, 15-19, 20-27
PLANNED_WEEKS: Final = (6, 8, 12)
REASONS: Final = (
    "completed",
    "transferred_lower",
    "transferred_lateral",
    "transferred_higher",
    "left_against_advice",
    "lost_contact",
    "administrative",
    "insurance_ended",
    "moved",
    "medical",
    "incarcerated",
    "deceased",
    "other",
    "graduated",  # not a word of the format: only the planted mess uses it
)
SESSION_TYPES: Final = ("group", "individual", "family", "medication")
STATUSES: Final = ("attended", "no_show", "cancelled_client", "cancelled_program")
INSTRUMENTS: Final = ("PHQ-9", "PHQ-A", "GAD-7", "PCL-5", "WHO-5", "AUDIT-C")
THERAPIES: Final = (
    "cbt",
    "cbt|dbt",
    "dbt",
    "act|cbt",
    "cbt|mi",
    "contingency_management|mi",
    "mi|twelve_step",
    "emdr|trauma_focused_cbt",
    "trauma_focused_cbt",
    "dbt|family_systems",
    "cbt|family_systems",
    "cbt|music",  # the rare one: seven people
)
RARE_THERAPY: Final = THERAPIES.index("cbt|music")
RARE_THERAPY_PEOPLE: Final = 7  # below 11, the smallest group that may leave the house


@dataclass(frozen=True)
class Program:
    """One program of the provider.

    Attributes
    ----------
    share : share of first admissions, 0-1; the shares of all programs sum to 1.
    modality : shares of in person, hybrid, telehealth.
    planned : shares of 6, 8 and 12 planned weeks.
    groups : group sessions on Monday to Friday; 0 = no program that day.
    group_minutes : length of one group when a day has two or more; a lone group lasts longer.
    score_days : days between two PHQ-9 or PHQ-A.
    instruments : given besides PHQ-9 (teens: PHQ-A) and GAD-7, at the start, every four weeks and at the end.
    step_down : position in `PROGRAMS` of the program that takes people after this one; None for an IOP.
    """

    program_id: str
    site: str
    population: str
    track: str
    level_of_care: str
    share: float
    modality: tuple[float, float, float]
    planned: tuple[float, float, float]
    groups: tuple[int, int, int, int, int]
    group_minutes: int
    score_days: int
    therapies: tuple[str, ...]
    instruments: tuple[str, ...] = ()
    step_down: int | None = None


_USUAL = (0.53, 0.33, 0.14)
_SHORT = (0.72, 0.20, 0.08)
_MIX = (0.56, 0.24, 0.20)
_ONLINE = (0.05, 0.15, 0.80)
_THREE_DAYS = (2, 0, 2, 1, 0)
_FOUR_DAYS = (2, 1, 2, 1, 0)
_FIVE_DAYS = (2, 2, 2, 2, 2)

PROGRAMS: Final = (
    Program("RIV-IOP-MH", "riverside", "adult", "mental_health", "IOP", 0.165, _MIX, _USUAL,
            _THREE_DAYS, 95, 7, ("cbt", "cbt|dbt", "act|cbt"), ("WHO-5",)),
    Program("RIV-PHP-MH", "riverside", "adult", "mental_health", "PHP", 0.09, _MIX, _SHORT,
            _FIVE_DAYS, 120, 7, ("cbt|dbt", "dbt"), ("WHO-5",), step_down=0),
    Program("RIV-IOP-CO", "riverside", "adult", "co_occurring", "IOP", 0.10, _MIX, _USUAL,
            _THREE_DAYS, 95, 7, ("cbt|mi", "contingency_management|mi"), ("AUDIT-C",)),
    Program("HIL-IOP-TRAUMA", "hillcrest", "adult", "mental_health", "IOP", 0.09, _MIX, _USUAL,
            _THREE_DAYS, 95, 7, ("emdr|trauma_focused_cbt", "trauma_focused_cbt"), ("PCL-5", "WHO-5")),
    Program("HIL-IOP-SUD", "hillcrest", "adult", "substance_use", "IOP", 0.12, _MIX, _USUAL,
            _FOUR_DAYS, 80, 14, ("contingency_management|mi", "mi|twelve_step"), ("AUDIT-C",)),
    Program("HIL-IOP-TEEN", "hillcrest", "adolescent", "mental_health", "IOP", 0.09, _MIX, _USUAL,
            _THREE_DAYS, 75, 7, ("dbt|family_systems", "cbt|family_systems")),
    Program("LAK-IOP-MH", "lakeview", "adult", "mental_health", "IOP", 0.16, _ONLINE, _USUAL,
            _THREE_DAYS, 95, 7, ("cbt", "cbt|dbt", "act|cbt"), ("WHO-5",)),
    Program("LAK-PHP-TEEN", "lakeview", "adolescent", "mental_health", "PHP", 0.055, _MIX, _SHORT,
            _FIVE_DAYS, 120, 7, ("dbt|family_systems",), step_down=5),
    Program("NOR-IOP-MH", "northgate", "adult", "mental_health", "IOP", 0.105, _MIX, _USUAL,
            _THREE_DAYS, 95, 7, ("cbt", "dbt"), ("WHO-5",)),
    Program("NOR-PHP-CO", "northgate", "adult", "co_occurring", "PHP", 0.025, _MIX, _SHORT,
            _FIVE_DAYS, 120, 7, ("cbt|mi",), ("AUDIT-C",), step_down=2),
)  # fmt: skip

SITES: Final = tuple(dict.fromkeys(program.site for program in PROGRAMS))
LATE_BASELINE_SITE: Final = "northgate"

SHARE: Final[Floats] = np.array([program.share for program in PROGRAMS])
MODALITY_SHARES: Final[Floats] = np.array([program.modality for program in PROGRAMS])
PLANNED_SHARES: Final[Floats] = np.array([program.planned for program in PROGRAMS])
SITE: Final[Ints] = np.array([SITES.index(program.site) for program in PROGRAMS], dtype=np.int64)
LEVEL: Final[Ints] = np.array([LEVELS.index(program.level_of_care) for program in PROGRAMS], dtype=np.int64)
TRACK: Final[Ints] = np.array([TRACKS.index(program.track) for program in PROGRAMS], dtype=np.int64)
TEEN: Final[Flags] = np.array([program.population == "adolescent" for program in PROGRAMS])
PHP: Final[Flags] = np.array([program.level_of_care == "PHP" for program in PROGRAMS])
LATE_BASELINES: Final[Flags] = np.array([program.site == LATE_BASELINE_SITE for program in PROGRAMS])
SCORE_DAYS: Final[Ints] = np.array([program.score_days for program in PROGRAMS], dtype=np.int64)
STEP_DOWN: Final[Ints] = np.array(
    [MISSING if program.step_down is None else program.step_down for program in PROGRAMS], dtype=np.int64
)
# By program and weekday, Monday = 0.
GROUPS: Final[Ints] = np.array([(*program.groups, 0, 0) for program in PROGRAMS], dtype=np.int64)
GROUP_MINUTES: Final[Ints] = np.where(
    GROUPS == 1, 150, np.array([[program.group_minutes] for program in PROGRAMS], dtype=np.int64)
)
INDIVIDUAL_MINUTES: Final = 60
# Tenths of an hour per week: the groups and one individual session.
PLANNED_HOURS: Final[Ints] = (np.sum(GROUPS * GROUP_MINUTES, axis=1) + INDIVIDUAL_MINUTES) // 6


class Calendar:
    """On which days each program meets.

    About one program day in eighty is cancelled for everybody (weather, a leak, a sick therapist).

    Attributes
    ----------
    closed : by program and `day - first`; a program day that was cancelled.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.first = FIRST_ADMISSION
        days = np.arange(self.first, DATA_CUT + 200, dtype=np.int64)
        meets = GROUPS[:, weekday(days)] > 0
        self.closed: Flags = meets & (rng.random(meets.shape) < 1 / 80)
        position = np.arange(days.size)
        met = meets & ~self.closed
        self._previous = np.maximum.accumulate(np.where(met, position, -1), axis=1)
        self._next = np.minimum.accumulate(np.where(met, position, days.size)[:, ::-1], axis=1)[:, ::-1]

    def at_or_before(self, program: Ints, day: Ints) -> Ints:
        """Return the last day at or before `day` on which the program met."""
        result: Ints = self._previous[program, day - self.first] + self.first
        return result

    def at_or_after(self, program: Ints, day: Ints) -> Ints:
        """Return the first day at or after `day` on which the program met."""
        result: Ints = self._next[program, day - self.first] + self.first
        return result
