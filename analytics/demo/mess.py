"""The mistakes on purpose: about three rows in a thousand that an import must set aside, each counted.

Whatever else is in the files obeys every rule.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from analytics.demo.columns import Ints, Rows, join_rows, take_rows
from analytics.demo.episodes import Episodes
from analytics.demo.plan import REASONS
from analytics.demo.scores import SCHEDULED

_SHARE: Final = 0.001  # of the rows of a file, for each kind of mistake
_UNKNOWN_WORD: Final = REASONS.index("graduated")


class Mess:
    """Adds mistakes to files and counts them.

    Attributes
    ----------
    counts : rows an import must refuse, by file name and rule name.
    first_free_person : the number after the last person, those of the copies included.
    templates : the episodes of which a copy with an unknown discharge word is added; the copies are numbered
        on after the last episode, their people after the last person.
    """

    def __init__(self, rng: np.random.Generator, episodes: Episodes) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._episodes = episodes.size
        self._persons = episodes.persons
        finished = np.flatnonzero(episodes.closed & episodes.completed)
        wanted = max(1, round(_SHARE * episodes.size))
        self.templates: Ints = np.sort(rng.permutation(finished)[:wanted])
        self.first_free_person = self._persons + self.templates.size

    def _repeat(self, rng: np.random.Generator, file: str, rows: Rows, at_least: int = 0) -> Rows:
        """Write some rows twice, one below the other."""
        size = next(iter(rows.values())).size
        wanted = max(at_least, round(_SHARE * size))
        twice = rng.permutation(size)[:wanted]
        self.counts[file, "DUPLICATE_EXACT"] += wanted
        return take_rows(rows, np.sort(np.concatenate([np.arange(size), twice])))

    def _copies(self, file: str, rows: Rows) -> Rows:
        """Return the rows of the templates under the numbers of their copies: refused with their parent."""
        at = np.flatnonzero(np.isin(rows["episode_id"], self.templates))
        copies = take_rows(rows, at)
        copies["episode_id"] = self._episodes + np.searchsorted(self.templates, copies["episode_id"])
        self.counts[file, "FK_MISSING"] += at.size
        return copies

    def episodes(self, rng: np.random.Generator, rows: Rows) -> Rows:
        """Write some episodes twice, and add some with a discharge word that does not exist."""
        unknown = take_rows(rows, self.templates)
        count = self.templates.size
        unknown["episode_id"] = self._episodes + np.arange(count)
        unknown["person_id"] = self._persons + np.arange(count)
        unknown["discharge_reason"] = np.full(count, _UNKNOWN_WORD)
        self.counts["episodes.csv", "BAD_ENUM"] += count
        return join_rows([self._repeat(rng, "episodes.csv", rows, at_least=1), unknown])

    def attendance(self, rng: np.random.Generator, rows: Rows, admit: Ints) -> Rows:
        """Write some sessions twice, and add some from before the admission (`admit`, by episode)."""
        size = rows["episode_id"].size
        # One for an episode at most, so that two strays are never the same session.
        chosen = rng.permutation(size)[: round(_SHARE * size)]
        stray = take_rows(rows, chosen[np.unique(rows["episode_id"][chosen], return_index=True)[1]])
        stray["session_date"] = admit[stray["episode_id"]] - rng.integers(1, 20, stray["episode_id"].size)
        self.counts["attendance.csv", "DATE_OUTSIDE_EPISODE"] += stray["episode_id"].size
        return join_rows([self._repeat(rng, "attendance.csv", rows), stray, self._copies("attendance.csv", rows)])

    def scores(self, rng: np.random.Generator, rows: Rows, highest: Ints) -> Rows:
        """Write some scores twice, and some with a total above `highest` (by instrument)."""
        copies = self._copies("scores.csv", rows)
        between = rng.permutation(np.flatnonzero(rows["role"] == SCHEDULED))
        wrong = np.sort(between[: round(_SHARE * rows["role"].size)])
        right = np.ones(rows["role"].size, dtype=np.bool_)
        right[wrong] = False
        impossible = take_rows(rows, wrong)
        impossible["total"] = highest[impossible["instrument"]] + rng.integers(1, 40, wrong.size)
        self.counts["scores.csv", "SCORE_RANGE"] += wrong.size
        return join_rows([self._repeat(rng, "scores.csv", take_rows(rows, right)), impossible, copies])
