"""What the three parts of the twin share: who, how the stay ended, the last day seen."""

from collections import defaultdict
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]

LEFT_EARLY = ("left_against_advice", "lost_contact", "administrative")


def by_column(rows: list[Row], column: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


def exit_of(episode: Row) -> str | None:
    reason = episode["discharge_reason"]
    if episode["los_days"] is None:
        return "active"
    if reason is None:
        return None
    if reason in LEFT_EARLY:
        return "left_early"
    named = {"completed": "completed", "transferred_lower": "stepped_down"}
    return named.get(reason, "transferred_higher" if reason == "transferred_higher" else "other")


def last_known_day(episode: Row) -> int:
    """Return the last day of the stay on the person's time line; of an open one, the last day seen."""
    days = episode["observed_days"] if episode["los_days"] is None else episode["los_days"]
    return episode["start_day"] + days


def exit_day_of(episode: Row, attendance: list[Row]) -> int | None:
    """Return the day the stay ended; `attendance` holds the rows of this episode."""
    if episode["los_days"] is None:
        return None
    days = [r["day"] for r in attendance if r["status"] == "attended"]
    if episode["discharge_reason"] in LEFT_EARLY and days:
        return max(days)
    return episode["los_days"]
