"""The sessions people were booked for, and whether they came.

Planted here: from the first day of the reminder calls on, fewer people stay away without a word.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from analytics.demo.columns import MISSING, Rows, weekday
from analytics.demo.episodes import Episodes
from analytics.demo.plan import (
    GROUP_MINUTES,
    GROUPS,
    INDIVIDUAL_MINUTES,
    REMINDER_CALLS,
    SESSION_TYPES,
    STATUSES,
    TEEN,
    Calendar,
)

_NO_SHOW_BEFORE: Final = 0.165
_NO_SHOW_SINCE: Final = 0.105
_CANCELLED: Final = 0.055  # by the person
_DAYS_BOOKED_ON: Final = 4  # after somebody has stopped coming, their place is kept that long

_GROUP, _INDIVIDUAL, _FAMILY, _MEDICATION = range(len(SESSION_TYPES))
_ATTENDED, _NO_SHOW, _CANCELLED_CLIENT, _CANCELLED_PROGRAM = range(len(STATUSES))
_MINUTES: Final = {_INDIVIDUAL: INDIVIDUAL_MINUTES, _FAMILY: 60, _MEDICATION: 30}


def attendance_rows(rng: np.random.Generator, episodes: Episodes, calendar: Calendar, first_episode: int) -> Rows:
    """Return the columns of attendance.csv for a block of episodes, by episode, day, type and number.

    A program day has one to three groups. Once a week, on the person's own day, comes an individual session;
    medication every fourth week for seven in ten, family every second week for teens and every fourth for one
    in three adults.

    Parameters
    ----------
    episodes : the block; `first_episode` is the position of its first in all episodes.
    """
    booked_until = np.where(
        episodes.left_early,
        np.minimum(episodes.discharge_day, np.maximum(episodes.last_day, 0) + _DAYS_BOOKED_ON),
        episodes.last_day,
    )
    days = np.minimum(booked_until, episodes.observed) + 1
    episode = np.repeat(np.arange(episodes.size), days)
    day = np.arange(episode.size) - np.repeat(np.cumsum(days) - days, days)
    date = episodes.admit[episode] + day
    on = weekday(date)
    meets = GROUPS[episodes.program[episode], on] > 0
    episode, day, date, on = episode[meets], day[meets], date[meets], on[meets]
    program = episodes.program[episode]
    groups = GROUPS[program, on]

    meeting_days = np.argsort(GROUPS == 0, axis=1, kind="stable")  # by program: its weekdays first
    own_day = np.floor(rng.random(episodes.size) * np.sum(GROUPS[episodes.program] > 0, axis=1)).astype(np.int64)
    teen = TEEN[episodes.program]
    has_family = teen | (rng.random(episodes.size) < 0.33)
    has_medication = rng.random(episodes.size) < 0.7
    week = day // 7
    individual = on == meeting_days[program, own_day[episode]]
    family = individual & has_family[episode] & (week % np.where(teen[episode], 2, 4) == 1)
    medication = individual & has_medication[episode] & (week % 4 == 0)

    # One row per session: the groups of a day are numbered, the others happen once.
    extra = [np.flatnonzero(flag) for flag in (individual, family, medication)]
    at = np.concatenate([np.repeat(np.arange(day.size), groups), *extra])
    number = np.ones(at.size, dtype=np.int64)
    group_count = int(groups.sum())
    number[:group_count] += np.arange(group_count) - np.repeat(np.cumsum(groups) - groups, groups)
    kind = np.repeat(np.arange(4), [group_count, *(rows.size for rows in extra)])
    order = np.argsort(at * 16 + kind * 4 + number)
    at, number, kind = at[order], number[order], kind[order]
    episode, day, date, on, program = episode[at], day[at], date[at], on[at], program[at]

    # People differ in how often they stay away; those who will leave early do so more often.
    habit = rng.lognormal(-0.08, 0.4, episodes.size) * np.where(episodes.left_early, 1.35, 0.94)
    stays_away = np.where(date >= REMINDER_CALLS, _NO_SHOW_SINCE, _NO_SHOW_BEFORE) * habit[episode]
    draw = rng.random(at.size)
    status = np.where(
        draw < stays_away, _NO_SHOW, np.where(draw < stays_away + _CANCELLED, _CANCELLED_CLIENT, _ATTENDED)
    )
    last_day = episodes.last_day[episode]
    status[(day == last_day) & (kind == _GROUP) & (number == 1)] = _ATTENDED
    status[day > last_day] = _NO_SHOW
    status[calendar.closed[program, date - calendar.first]] = _CANCELLED_PROGRAM

    scheduled = GROUP_MINUTES[program, on]
    for other, length in _MINUTES.items():
        scheduled[kind == other] = length
    late = np.where(rng.random(at.size) < 0.06, rng.integers(5, 26, at.size), 0)
    minutes = np.where(status == _ATTENDED, scheduled - np.minimum(late, scheduled // 2), 0)
    notice = np.where(rng.random(at.size) < 0.4, rng.integers(0, 24, at.size), rng.integers(24, 97, at.size))
    online = np.array([0.02, 0.0, 0.99])[episodes.modality[episode]]
    online[episodes.modality[episode] == 1] = (on[episodes.modality[episode] == 1] % 2 == 1) * 0.96 + 0.02
    return {
        "episode_id": first_episode + episode,
        "session_date": date,
        "session_type": kind,
        "status": status,
        "minutes": minutes,
        "delivery": (rng.random(at.size) < online).astype(np.int64),
        "session_no": number,
        "scheduled_minutes": scheduled,
        "cancel_notice_hours": np.where(status == _CANCELLED_CLIENT, notice, MISSING),
    }
