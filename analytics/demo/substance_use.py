"""Use and abstinence of people in the substance use and co-occurring programs: tests, self reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.demo.chance import even_uniform, pick
from analytics.demo.columns import MISSING, Columns, Flags, Floats, Ints, Rows, join_rows, sort_rows
from analytics.demo.episodes import Episodes
from analytics.demo.people import CONDITIONS
from analytics.demo.plan import TRACK

SUBSTANCES: Final = ("alcohol", "opioid", "stimulant", "cannabis")
SOURCES: Final = ("self_report", "urine")
RESULTS: Final = ("negative", "positive", "prescribed_positive", "invalid", "refused", "missed")

_SELF_REPORT, _URINE = range(len(SOURCES))
_NEGATIVE, _POSITIVE = RESULTS.index("negative"), RESULTS.index("positive")
# Abstinent in the month before the end, by how it ends: completed, left early, otherwise.
_ABSTINENT: Final[Floats] = np.array([0.68, 0.30, 0.48])
# And whether somebody asked at the end.
_ASKED: Final[Floats] = np.array([0.95, 0.42, 0.78])
_FOR_GOOD: Final = 0.52  # of those abstinent at the end: no use within the year of follow-up


@dataclass
class Use(Columns):
    """The person's use; columns by episode, meaningful where `applies`.

    Attributes
    ----------
    applies : substance use or co-occurring program.
    substance : position in SUBSTANCES.
    days_before : days of use in the 30 days before admission, 0-30.
    abstinent : no use in the 30 days before the end. `asked` : and it is on file.
    first_use : days from the end to the first use after it.
    """

    applies: Flags
    substance: Ints
    days_before: Ints
    abstinent: Flags
    asked: Flags
    first_use: Ints


def make_use(rng: np.random.Generator, episodes: Episodes, condition: Ints) -> Use:
    """Return what each person uses and whether it stops.

    Parameters
    ----------
    condition : by episode, position in `people.CONDITIONS`; it names the substance where it can.
    """
    size = episodes.size
    applies = TRACK[episodes.program] > 0
    ending = np.where(episodes.completed, 0, np.where(episodes.left_early, 1, 2))
    substance = rng.choice(len(SUBSTANCES), size, p=[0.5, 0.22, 0.16, 0.12])
    named = condition - CONDITIONS.index("alcohol")
    substance = np.where((named >= 0) & (named < len(SUBSTANCES)), named, substance)
    days_before = np.where(rng.random(size) < 0.17, 0, 2 + np.floor(29 * rng.beta(1.3, 1.1, size)).astype(np.int64))
    abstinent = even_uniform(rng, applies, ending, episodes.month) < _ABSTINENT[ending]
    for_good = even_uniform(rng, applies, abstinent) < _FOR_GOOD
    first_use = np.where(for_good, 1_000, np.floor(rng.exponential(110, size)).astype(np.int64))
    return Use(
        applies=applies,
        substance=substance,
        days_before=days_before,
        abstinent=abstinent,
        asked=even_uniform(rng, applies, ending) < _ASKED[ending],
        first_use=np.where(abstinent, first_use, 0),
    )


def _tests(rng: np.random.Generator, episodes: Episodes, use: Use, until: Ints) -> Rows:
    """Return one urine test a week, also those that were missed; `episode` is a position in `episodes`."""
    day = 7 * np.arange(14) + rng.integers(0, 3, (episodes.size, 14))
    episode, week = np.nonzero(day <= until[:, None])
    day = day[episode, week]
    done = np.clip(day / (7 * episodes.planned_weeks[episode]), 0, 1)
    at_start, at_end = np.where(use.abstinent[episode], [[0.42], [0.03]], [[0.55], [0.40]])
    positive = at_start * (1 - done) + at_end * done
    prescribed = np.where(use.substance[episode] == SUBSTANCES.index("opioid"), 0.10, 0.02)
    missed = np.where(episodes.left_early[episode], 0.17, 0.07)
    invalid = np.full(day.size, 0.01)
    rest = 1 - prescribed - missed - 2 * invalid
    shares = np.stack([rest * (1 - positive), rest * positive, prescribed, invalid, invalid, missed], axis=1)
    return {
        "episode": episode,
        "day": day,
        "source": np.full(day.size, _URINE),
        "result": pick(rng.random(day.size), shares),
        "scheduled": (rng.random(day.size) < 0.7).astype(np.int64),
        "days_used_past_30": np.full(day.size, MISSING),
        "controlled_environment": np.full(day.size, MISSING),
    }


def _reports(rng: np.random.Generator, episodes: Episodes, use: Use, until: Ints) -> Rows:
    """Return self reports: at admission, every four weeks, and on the last day when somebody asked."""
    size = episodes.size
    before = use.days_before
    at_end = use.asked & episodes.closed & (until >= 3)
    on = np.stack([np.minimum(rng.integers(0, 3, size), until), *(np.full(size, 28 * n) for n in (1, 2, 3)), until])
    days = np.stack(
        [
            before,
            *(np.floor(before * rng.uniform(0.1, 0.8, size)) for _ in range(3)),
            np.where(use.abstinent, 0, 1 + np.floor(before * rng.uniform(0.1, 0.7, size))),
        ]
    ).astype(np.int64)
    given = np.stack(
        [
            rng.random(size) < 0.96,
            *((28 * n <= until - 7 * at_end) & (rng.random(size) < 0.8) for n in (1, 2, 3)),
            at_end,
        ]
    )
    # People who come from jail, a hospital or a residence could not use there.
    held = np.zeros(given.shape, dtype=np.int64)
    held[0] = (before == 0) & (rng.random(size) < 0.5)
    turn, episode = np.nonzero(given)
    return {
        "episode": episode,
        "day": on[turn, episode],
        "source": np.full(turn.size, _SELF_REPORT),
        "result": np.where(days[turn, episode] > 0, _POSITIVE, _NEGATIVE),
        "scheduled": np.ones(turn.size, dtype=np.int64),
        "days_used_past_30": days[turn, episode],
        "controlled_environment": held[turn, episode],
    }


def substance_rows(rng: np.random.Generator, episodes: Episodes, use: Use, first_episode: int) -> Rows:
    """Return the columns of substance_use.csv for a block of episodes, by episode, day and source.

    Parameters
    ----------
    first_episode : position of the block's first episode in all episodes.
    """
    came = np.flatnonzero(use.applies & (episodes.last_day != MISSING))
    episodes, use = episodes.take(came), use.take(came)
    until = np.minimum(episodes.last_day, episodes.observed)
    rows = join_rows([_tests(rng, episodes, use, until), _reports(rng, episodes, use, until)])
    rows = sort_rows(rows, "episode", "day", "source")
    rows["episode_id"] = first_episode + came[rows["episode"]]
    rows["observed_on"] = episodes.admit[rows["episode"]] + rows["day"]
    rows["substance"] = use.substance[rows["episode"]]
    return rows
