"""Who comes, to which program, how ill, for how long, and how it ends.

Planted here: telehealth takes people who start milder, and milder people finish more often; at the same
severity telehealth finishes *less* often. And whether a person finishes does not depend on when they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.demo.chance import even_uniform, pick
from analytics.demo.columns import MISSING, Columns, Flags, Floats, Ints
from analytics.demo.plan import (
    DATA_CUT,
    FIRST_ADMISSION,
    LAST_ADMISSION,
    MODALITY_SHARES,
    PHP,
    PLANNED_SHARES,
    PLANNED_WEEKS,
    REASONS,
    SHARE,
    STEP_DOWN,
    Calendar,
)

FAR_AWAY: Final = DATA_CUT + 10_000  # "no next episode"
RETURNING: Final = (0.125, 0.025)  # share of all episodes that are a person's second, third

# By modality (in person, hybrid, telehealth): shares of the four severity bands at the start.
_BAND_SHARES: Final[Floats] = np.array([(0.05, 0.17, 0.39, 0.39), (0.08, 0.38, 0.32, 0.22), (0.12, 0.67, 0.16, 0.05)])
# By severity band: who completes among people treated in person; and by modality what is taken off.
_COMPLETES: Final[Floats] = np.array([0.90, 0.85, 0.58, 0.41])
_COMPLETES_LESS: Final[Floats] = np.array([0.0, 0.03, 0.11])

# How the others leave, in the order of REASONS: shares in an IOP, in a PHP.
_OTHERWISE: Final = {
    "transferred_lower": (0.05, 0.40),
    "transferred_lateral": (0.01, 0.01),
    "transferred_higher": (0.14, 0.13),
    "left_against_advice": (0.19, 0.12),
    "lost_contact": (0.29, 0.17),
    "administrative": (0.11, 0.05),
    "insurance_ended": (0.10, 0.05),
    "moved": (0.03, 0.02),
    "medical": (0.03, 0.02),
    "incarcerated": (0.014, 0.008),
    "deceased": (0.012, 0.010),
    "other": (0.024, 0.012),
}
_OTHER_IOP, _OTHER_PHP = np.array(list(_OTHERWISE.values())).T

_COMPLETED: Final = REASONS.index("completed")
_LOST_CONTACT: Final = REASONS.index("lost_contact")
_LEFT_EARLY: Final = tuple(REASONS.index(word) for word in ("left_against_advice", "lost_contact", "administrative"))
_DOES_NOT_COME_BACK: Final = tuple(REASONS.index(word) for word in ("incarcerated", "deceased", "moved"))


@dataclass
class Episodes(Columns):
    """Episodes as columns of one length, in order of admission.

    Attributes
    ----------
    person : position of the person. `sequence` : 0 for the person's first episode, then 1, 2.
    program : position in PROGRAMS. `modality` : position in MODALITIES.
    admit, next_admit : days since 1970-01-01; FAR_AWAY when the person does not come again.
    planned_weeks : weeks.
    baseline : PHQ-9 (teens: PHQ-A) total on admission, 5-27. `band` : its severity, position in BANDS.
    reason : position in REASONS of how it ends or will end.
    last_day : days from admission to the last attended session, MISSING when the person never came.
    discharge_day : days from admission to the discharge date of the file, which is the paperwork's.
    """

    person: Ints
    sequence: Ints
    program: Ints
    admit: Ints
    next_admit: Ints
    modality: Ints
    planned_weeks: Ints
    baseline: Ints
    band: Ints
    reason: Ints
    last_day: Ints
    discharge_day: Ints

    @property
    def persons(self) -> int:
        """Return how many people there are; they are numbered from 0."""
        return int(self.person.max()) + 1

    @property
    def closed(self) -> Flags:
        """Whether the episode had ended by the data cut."""
        flag: Flags = self.admit + self.discharge_day <= DATA_CUT
        return flag

    @property
    def observed(self) -> Ints:
        """Days from admission to the data cut."""
        return DATA_CUT - self.admit

    @property
    def completed(self) -> Flags:
        """Whether it ends, or will end, with the plan finished."""
        flag: Flags = self.reason == _COMPLETED
        return flag

    @property
    def left_early(self) -> Flags:
        """Whether it ends, or will end, against advice, in lost contact or by an administrative discharge."""
        flag: Flags = np.isin(self.reason, _LEFT_EARLY)
        return flag

    @property
    def exit_day(self) -> Ints:
        """Days from admission to the person's own end: the last session of those who left early."""
        return np.where(self.left_early & (self.last_day != MISSING), self.last_day, self.discharge_day)

    @property
    def month(self) -> Ints:
        """Blocks of 30 days since the first admission."""
        return (self.admit - FIRST_ADMISSION) // 30


def _stays(
    rng: np.random.Generator, calendar: Calendar, person: Ints, sequence: int, program: Ints, admit: Ints
) -> Episodes:
    """Return the whole course of episodes that start on `admit` in `program`."""
    size = person.size
    month = (admit - FIRST_ADMISSION) // 30
    php = PHP[program]
    modality = pick(even_uniform(rng, program, month), MODALITY_SHARES[program])
    planned = np.array(PLANNED_WEEKS)[pick(even_uniform(rng, php, month), PLANNED_SHARES[program])]
    band = pick(even_uniform(rng, modality, php, month), _BAND_SHARES[modality])
    # Bands are five points wide; the severe one has eight, and few people near its top.
    baseline = 5 + 5 * band + np.floor(rng.random(size) ** 1.4 * np.where(band == 3, 8, 5)).astype(np.int64)

    finish = _COMPLETES[band] - _COMPLETES_LESS[modality]
    other = np.where(php[:, None], _OTHER_PHP, _OTHER_IOP)
    shares = np.hstack([finish[:, None], (1 - finish)[:, None] * other])
    reason = pick(even_uniform(rng, modality, band, month), shares)
    left_early = np.isin(reason, _LEFT_EARLY)

    # Those who finish stay about as long as planned. Of those who leave early most leave in the first weeks.
    planned_days = 7 * planned
    stay = np.select(
        [reason == _COMPLETED, left_early],
        [
            planned_days + rng.integers(-4, 8, size),
            np.floor(planned_days * 0.85 * rng.beta(0.75, 2.2, size)),
        ],
        np.floor(planned_days * rng.uniform(0.15, 0.95, size)),
    ).astype(np.int64)
    last_day = calendar.at_or_before(program, admit + np.maximum(stay, 0)) - admit
    last_day[(reason == _LOST_CONTACT) & (rng.random(size) < 0.07)] = MISSING  # booked, never came
    # The paperwork of people who left early is done 3 to 30 days later, but never after the longest regular
    # stay, so that everyone admitted `7 * planned_weeks + 14` days ago has ended.
    paperwork = np.minimum(rng.integers(3, 31, size), planned_days + 12 - last_day)
    discharge_day = np.maximum(last_day, 0) + np.where(left_early, paperwork, np.where(rng.random(size) < 0.8, 0, 1))
    return Episodes(
        person,
        np.full(size, sequence),
        program,
        admit,
        np.full(size, FAR_AWAY),
        modality,
        planned,
        baseline,
        band,
        reason,
        last_day,
        discharge_day,
    )


def _first_stays(rng: np.random.Generator, calendar: Calendar, persons: int, first_person: int) -> Episodes:
    """Return the first episodes of new people; the provider grows by a third in three years."""
    growth = 0.33
    position = (np.arange(persons) + rng.random()) / persons
    grown = (np.sqrt(1 + position * ((1 + growth) ** 2 - 1)) - 1) / growth
    wanted = FIRST_ADMISSION + np.floor(grown * (LAST_ADMISSION - FIRST_ADMISSION)).astype(np.int64)
    program = pick(even_uniform(rng, wanted), SHARE)
    return _stays(
        rng,
        calendar,
        first_person + np.arange(persons),
        0,
        program,
        calendar.at_or_after(program, wanted),
    )


def _return_stays(rng: np.random.Generator, calendar: Calendar, before: Episodes, wanted: int) -> Episodes:
    """Return at most `wanted` further episodes of people in `before`, none of them overlapping.

    Nearly half of the people who finish a PHP, or step down from it, start the IOP within a week. Of the
    others who come back one in five does so within 30 days (the same course), the rest later.
    """
    step_down = (STEP_DOWN[before.program] != MISSING) & np.isin(
        before.reason, (_COMPLETED, REASONS.index("transferred_lower"))
    )
    step_down &= rng.random(before.size) < 0.45
    soon = rng.random(before.size) < 0.2
    gap = np.where(
        step_down,
        rng.integers(1, 7, before.size),
        np.where(soon, rng.integers(5, 27, before.size), rng.integers(40, 420, before.size)),
    )
    program = np.where(step_down, STEP_DOWN[before.program], before.program)
    wanted_day = np.minimum(before.admit + before.discharge_day + gap, DATA_CUT)
    admit = calendar.at_or_after(program, wanted_day)
    possible = before.closed & ~np.isin(before.reason, _DOES_NOT_COME_BACK) & (admit <= DATA_CUT - 2)
    rank = np.where(possible, rng.random(before.size) - step_down, np.inf)
    chosen = np.sort(np.argsort(rank, kind="stable")[: min(wanted, int(np.sum(possible)))])
    sequence = int(before.sequence[0]) + 1 if before.size else 1
    return _stays(rng, calendar, before.person[chosen], sequence, program[chosen], admit[chosen])


def make_episodes(rng: np.random.Generator, calendar: Calendar, size: int) -> Episodes:
    """Return `size` episodes of fewer people; all of a person's stays follow each other."""
    second, third = (round(size * share) for share in RETURNING)
    parts = [_first_stays(rng, calendar, size - second - third, 0)]
    for wanted in (second, third):
        parts.append(_return_stays(rng, calendar, parts[-1], wanted))
    # A very small demo has too few people who could come back: others come instead.
    short = size - sum(part.size for part in parts)
    parts.append(_first_stays(rng, calendar, short, parts[0].size))
    episodes = Episodes.joined(parts)

    # Numbers in the files tell nothing about who came when.
    episodes.person = rng.permutation(episodes.persons)[episodes.person]
    episodes = episodes.take(np.lexsort((rng.random(size), episodes.admit)))
    by_person = np.lexsort((episodes.admit, episodes.person))
    again = episodes.person[by_person][1:] == episodes.person[by_person][:-1]
    episodes.next_admit[by_person[:-1][again]] = episodes.admit[by_person[1:][again]]
    return episodes
