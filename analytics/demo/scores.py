"""How people's symptoms move, and what the questionnaires caught of it.

Planted here: the length of the plan hardly matters while the length of the stay seems to matter much; about
one person in seventeen of those measured gets reliably worse; people who leave early are rarely measured
twice; one site asks for the first time when the second week has begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.demo.chance import even_normal, even_uniform
from analytics.demo.columns import MISSING, Columns, Flags, Floats, Ints, Rows, join_rows, take_rows
from analytics.demo.episodes import Episodes
from analytics.demo.plan import (
    INSTRUMENTS,
    LATE_BASELINES,
    MODALITIES,
    PROGRAMS,
    REASONS,
    SCORE_DAYS,
    TEEN,
)

# By severity band: mean and spread of the points that the PHQ-9 falls when the plan is finished.
_FALL: Final[Floats] = np.array([5.0, 8.1, 9.4, 10.4])
_SPREAD: Final[Floats] = np.array([2.4, 3.6, 4.8, 6.0])
_TELEHEALTH_FALLS_LESS: Final = 1.1
_LONGER_PLAN: Final = 0.16  # points more for each planned week beyond eight
_WORSENS: Final = 0.07  # of those with room to worsen by six points and more
_ROOM_TO_WORSEN: Final = 20
_LATE: Final = 0.72  # share of late first scores at the site that asks late; elsewhere 0.04
_ONCE: Final = 0.06  # of those who stay, share that answers the first time only
_NOISE: Final = 1.2

_PHQ9, _PHQA, _GAD7, _PCL5, _WHO5, _AUDITC = range(len(INSTRUMENTS))
HIGHEST: Final[Ints] = np.array([27, 27, 21, 80, 100, 12], dtype=np.int64)
_USES: Final[Flags] = np.array([[name in item.instruments for name in INSTRUMENTS] for item in PROGRAMS])

_NEVER: Final = 10_000  # the day of a first score that nobody asks for
SCHEDULED, FIRST, LAST = range(3)  # the role of a score in its episode
_ITEMS_OF: Final = "HIL-IOP-TRAUMA"  # the program whose single answers are in score_items.csv


@dataclass
class Course(Columns):
    """What goes on in the person; columns by episode.

    Attributes
    ----------
    fall : points that the PHQ-9 falls by the end of the plan; negative when the person gets worse.
    anxiety : GAD-7 total on admission. `anxiety_fall` : as `fall`.
    first_day : days from admission to the first score, _NEVER when nobody asks.
    last_day : days from admission to the score at the end, MISSING when there is none.
    once : answers the first time only.
    """

    fall: Floats
    anxiety: Floats
    anxiety_fall: Floats
    first_day: Ints
    last_day: Ints
    once: Flags


def make_course(rng: np.random.Generator, episodes: Episodes) -> Course:
    """Return how each person's symptoms move and when the first and the last questionnaire is answered."""
    size = episodes.size
    band, completed, left = episodes.band, episodes.completed, episodes.left_early
    telehealth = episodes.modality == MODALITIES.index("telehealth")
    spread = even_normal(rng, band, telehealth, left, episodes.planned_weeks)
    fall = (
        _FALL[band]
        + _SPREAD[band] * spread
        - _TELEHEALTH_FALLS_LESS * telehealth
        + _LONGER_PLAN * (episodes.planned_weeks - 8)
    )
    worsens = (even_uniform(rng, left, band, episodes.planned_weeks) < _WORSENS) & (
        episodes.baseline <= _ROOM_TO_WORSEN
    )
    fall = np.where(worsens, -8.8 - 1.2 * np.abs(rng.standard_normal(size)), fall)
    # Those who leave have been getting less out of it.
    fall = np.where(left & ~worsens, 0.6 * fall, fall)
    anxiety = np.clip(np.round(0.6 * episodes.baseline + 2.6 + 1.8 * rng.standard_normal(size)), 1, 21)

    late = even_uniform(rng, LATE_BASELINES[episodes.program]) < np.where(LATE_BASELINES[episodes.program], _LATE, 0.04)
    on_time = rng.choice(np.array([-3, -1, 0, 1, 2, 4]), size, p=[0.08, 0.12, 0.55, 0.12, 0.08, 0.05])
    first_day = np.where(late, rng.integers(8, 21, size), np.minimum(on_time, np.maximum(episodes.last_day, 0)))
    never_came = episodes.last_day == MISSING
    first_day[(rng.random(size) < np.where(never_came, 0.5, 0.015))] = _NEVER
    first_day[late & (first_day > episodes.last_day)] = _NEVER

    deceased = episodes.reason == REASONS.index("deceased")
    once = even_uniform(rng, left, episodes.month) < np.where(left, 0.15, _ONCE)
    asked = ~once & (even_uniform(rng, completed, left, episodes.month) < np.where(completed, 0.94, 0.80))
    final = episodes.last_day + rng.choice(np.array([-1, 0, 1, 2]), size, p=[0.1, 0.65, 0.15, 0.1])
    has_final = asked & ~left & ~deceased & (final >= first_day + 4) & (final <= episodes.observed)
    return Course(
        fall=fall,
        anxiety=anxiety,
        anxiety_fall=0.6 * fall + 0.3 + 1.3 * rng.standard_normal(size),
        first_day=first_day,
        last_day=np.where(has_final, final, MISSING),
        once=once,
    )


def _visits(rng: np.random.Generator, episodes: Episodes, course: Course) -> tuple[Ints, Ints, Ints]:
    """Return episode, day and role of every time somebody fills in questionnaires, by episode and day."""
    every = SCORE_DAYS[episodes.program][:, None]
    number = np.arange(1, 7 * 14 // int(SCORE_DAYS.min()) + 1)
    day = number * every + rng.integers(-1, 2, (episodes.size, number.size))
    has_final = course.last_day != MISSING
    until = np.minimum(episodes.last_day, episodes.observed) - np.where(has_final, 5, 0)
    answered = ~course.once[:, None] & (rng.random(day.shape) < np.where(episodes.left_early, 0.7, 0.94)[:, None])
    kept = answered & (day >= course.first_day[:, None] + 4) & (day <= until[:, None])
    days = np.hstack([course.first_day[:, None], day, course.last_day[:, None]])
    asked = np.hstack([(course.first_day <= episodes.observed)[:, None], kept, has_final[:, None]])
    role = np.broadcast_to(np.array([FIRST, *[SCHEDULED] * number.size, LAST]), days.shape)
    episode = np.broadcast_to(np.arange(episodes.size)[:, None], days.shape)
    return episode[asked], days[asked], role[asked]


def _total(rng: np.random.Generator, instrument: int, depression: Floats, anxiety: Floats) -> Ints:
    """Return totals of one instrument; depression and anxiety are in points of the PHQ-9 and the GAD-7."""
    noise = rng.standard_normal(depression.size)
    value = {
        _PHQ9: depression,
        _PHQA: depression,
        _GAD7: anxiety,
        _PCL5: 14 + 2.1 * depression + 4 * noise,
        _WHO5: 4 * np.clip(np.round(21 - 0.75 * depression + 1.5 * noise), 0, 25),
        _AUDITC: 1.5 + 0.35 * depression + 1.2 * noise,
    }[instrument]
    return np.clip(np.round(value), 0, HIGHEST[instrument]).astype(np.int64)


def score_rows(rng: np.random.Generator, episodes: Episodes, course: Course, first_episode: int) -> Rows:
    """Return the columns of scores.csv for a block of episodes, by episode, instrument and day.

    Besides the columns of the file there is `role`: SCHEDULED, FIRST or LAST.

    Parameters
    ----------
    first_episode : position of the block's first episode in all episodes.
    """
    episode, day, role = _visits(rng, episodes, course)
    # Most of the fall comes early: after half of the plan about 73 % of it is done.
    done = np.clip(day / (7 * episodes.planned_weeks[episode]), 0, 1)
    share = (1 - np.exp(-2 * done)) / (1 - np.exp(-2))
    noise = np.where(role == FIRST, 0.0, _NOISE)
    depression = episodes.baseline[episode] - course.fall[episode] * share + noise * rng.standard_normal(day.size)
    anxiety = course.anxiety[episode] - course.anxiety_fall[episode] * share + noise * rng.standard_normal(day.size)

    program = episodes.program[episode]
    teen = TEEN[program]
    monthly = (role != SCHEDULED) | (day // 7 % 4 == 0)
    given = {_PHQ9: ~teen, _PHQA: teen, _GAD7: rng.random(day.size) < 0.95}
    given |= {name: _USES[program, name] & monthly for name in (_PCL5, _WHO5, _AUDITC)}
    rows = join_rows(
        [
            {
                "at": at,
                "instrument": np.full(at.size, instrument),
                "total": _total(rng, instrument, depression[at], anxiety[at]),
            }
            for instrument, at in ((name, np.flatnonzero(flag)) for name, flag in given.items())
        ]
    )
    rows = take_rows(rows, np.lexsort((rows["at"], rows["instrument"], episode[rows["at"]])))
    at, instruments, total = rows["at"], rows["instrument"], rows["total"]

    item_9 = np.sum(rng.random((3, at.size)) < np.clip((total - 4) / 45, 0, 0.5), axis=0)
    item_9 = np.maximum(np.minimum(item_9, total), total - 24)  # eight other items hold 24 points at most
    has_item = (instruments == _PHQ9) & (rng.random(at.size) < 0.97)
    looked_at = instruments <= _GAD7
    worse = course.fall[episode[at]] < 0
    return {
        "episode_id": first_episode + episode[at],
        "instrument": instruments,
        "assessed_on": episodes.admit[episode[at]] + day[at],
        "total": total,
        "item_9": np.where(has_item, item_9, MISSING),
        "shared_with_person": np.where(looked_at, rng.random(at.size) < 0.82, MISSING),
        "plan_changed": np.where(looked_at, rng.random(at.size) < np.where(worse, 0.3, 0.08), MISSING),
        "role": role[at],
    }


def item_rows(rng: np.random.Generator, scores: Rows, program: Ints) -> Rows:
    """Return score_items.csv: the nine answers behind first and last PHQ-9 of one program.

    They add up to the total.

    Parameters
    ----------
    scores : as returned by `score_rows`. `program` : position of the program, by episode of all episodes.
    """
    wanted = [item.program_id for item in PROGRAMS].index(_ITEMS_OF)
    kept = np.flatnonzero(
        (scores["instrument"] == _PHQ9)
        & (scores["role"] != SCHEDULED)
        & (scores["item_9"] != MISSING)
        & (program[scores["episode_id"]] == wanted)
    )
    rest = scores["total"][kept] - scores["item_9"][kept]
    # Spread over eight items: everybody's share, and one more for as many items as there are points left.
    turn = np.argsort(rng.random((kept.size, 8)), axis=1)
    answers = (rest // 8)[:, None] + (turn < (rest % 8)[:, None])
    values = np.hstack([answers, scores["item_9"][kept][:, None]])
    repeated = np.repeat(kept, 9)
    return {
        "episode_id": scores["episode_id"][repeated],
        "instrument": scores["instrument"][repeated],
        "assessed_on": scores["assessed_on"][repeated],
        "item": np.tile(np.arange(1, 10), kept.size),
        "value": values.ravel(),
    }
