"""A year of exports from one made-up clinic: each month all of it, or what is new and corrected.

Nothing is ever deleted. In the year:

- rows are entered a month late, and rows after the data cut are in the export already;
- totals and sessions are wrong at first and corrected later;
- the admission of one stay is two days late at first: its first session then lies outside it;
- people come back, stays end, hospital stays end.
"""

import random
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tests.spec.raw_files import Files, Row, made_up

MONTH_ENDS = tuple(date(2026, month, monthrange(2026, month)[1]) for month in range(1, 13))
EXPORTED_AFTER = timedelta(3)

# The day of a row, after which it can be in an export.
_DAY = {
    "episodes": "admit_date", "attendance": "session_date", "scores": "assessed_on", "score_items": "assessed_on",
    "substance_use": "observed_on", "readmissions": "admit_date", "followups": "attempted_on", "capture": "from",
}  # fmt: skip


@dataclass(frozen=True)
class Export:
    """What the clinic exports after one month. `changed`: the stays that are new or corrected, whole."""

    cut: date
    day: date
    everything: Files
    changed: Files


class Clinic:
    """The truth about its people, and what is known of it after each month."""

    def __init__(self, seed: int, episodes: int) -> None:
        chance = random.Random(seed)
        self.truth = made_up(seed, episodes, MONTH_ENDS[-1])
        # By place in the truth: entered late by a month, or wrong until a day.
        self._late: set[tuple[str, int]] = set()
        self._wrong_until: dict[tuple[str, int], date] = {}
        for table in ("attendance", "scores", "substance_use", "score_items"):
            for place, row in enumerate(self.truth[table]):
                day = row[_DAY[table]]
                assert isinstance(day, date)
                if chance.random() < 0.1:
                    self._late.add((table, place))
                if chance.random() < 0.1:
                    self._wrong_until[table, place] = day + timedelta(chance.randrange(30, 100))
        self.moved = next(
            place
            for place, row in enumerate(self.truth["episodes"])
            if date(2026, 1, 5) < _day(row, "admit_date") < date(2026, 3, 1)
        )
        self._wrong_until["episodes", self.moved] = date(2026, 5, 15)

    def exports(self, cuts: tuple[date, ...] = MONTH_ENDS) -> Iterator[Export]:
        delivered: Files = {table: [] for table in self.truth}
        for cut in cuts:
            everything = self._known(cut + EXPORTED_AFTER)
            yield Export(cut, cut + EXPORTED_AFTER, everything, _changed(everything, delivered))
            delivered = {table: [_up_to(row, cut) for row in rows] for table, rows in everything.items()}

    def _known(self, today: date) -> Files:
        """What stands in the clinic's system on one day."""
        return {
            table: [
                self._as_entered(table, place, row, today)
                for place, row in enumerate(rows)
                if _day(row, _DAY[table]) + timedelta(30 if (table, place) in self._late else 0) <= today
            ]
            for table, rows in self.truth.items()
        }

    def _as_entered(self, table: str, place: int, row: Row, today: date) -> Row:
        row = dict(row)
        left = row.get("discharge_date")
        if isinstance(left, date) and left > today:
            row["discharge_date"] = None
            if table == "episodes":
                row["discharge_reason"] = ""
        if table == "capture":
            row["to"] = today
        if today < self._wrong_until.get((table, place), today):
            if table == "episodes":
                row["admit_date"] = _day(row, "admit_date") + timedelta(2)
            elif table == "attendance":
                row |= {"status": "no_show", "minutes": 0}
            elif table == "scores":
                row["total"] = 1
            elif table == "score_items":
                row["value"] = None
            else:
                row["result"] = "invalid"
        return row


def _day(row: Row, name: str) -> date:
    day = row[name]
    assert isinstance(day, date)
    return day


def _up_to(row: Row, cut: date) -> Row:
    """A row as an import with this data cut takes it; {} when it sets it aside."""
    if any(isinstance(value, date) and value > cut for name, value in row.items() if name in _DAY.values()):
        return {}
    left = row.get("discharge_date")
    if "episode_id" in row and isinstance(left, date) and left > cut:
        return {**row, "discharge_date": None, "discharge_reason": ""}
    return row


def _changed(now: Files, delivered: Files) -> Files:
    """All of each stay of which a row is new or corrected, and all of each person of whom one is."""
    before = {table: {repr(row) for row in rows} for table, rows in delivered.items()}
    new = [(table, row) for table, rows in now.items() for row in rows if repr(row) not in before[table]]
    stays = {row["episode_id"] for _, row in new if "episode_id" in row}
    people = {row["person_id"] for table, row in new if "episode_id" not in row}
    return {
        table: [
            row
            for row in rows
            if row.get("episode_id") in stays or ("episode_id" not in row and row["person_id"] in people)
        ]
        for table, rows in now.items()
    }
