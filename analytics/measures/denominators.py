"""Steps of the ladder that many measures share: who left, and who came long enough ago to have left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

# The definitions were read against their sources on this day.
REVIEWED: Final = date(2026, 11, 21)

# Days in the program, so far or in all.
STAY: Final = "coalesce(exit_day, observed_days)"

LEFT: Final = "left the program"
WHO_LEFT: Final[Mapping[str, str]] = {LEFT: "is_closed"}
NOT_LEFT: Final[Mapping[str, str]] = {LEFT: "still in the program"}

# Among recent admissions only the short stays have ended, so a rate of those who left starts too low. Two
# weeks beyond the planned length nearly everybody has left. Where the planned length is not recorded, twelve
# weeks, the longest usual one, stand in for it.
USUAL_WEEKS: Final = 12
GRACE_DAYS: Final = 14
MATURE: Final = f"observed_days >= 7 * coalesce(planned_weeks, {USUAL_WEEKS}) + {GRACE_DAYS}"

SESSIONS_NOT_RECORDED: Final = "sessions not recorded"
# Where sessions are not recorded, nobody knows whether somebody came: not known, and not lost on the way.
CAME_OR_NOT_KNOWN: Final = "first_attended_day is not null or attended_sessions is null"
# A program may send every other file; that nobody there ever came is not what its silence says.
NO_SESSIONS_NOTE: Final = (
    "Of a program that has not one session in the files nobody knows who came: its stays are not known."
)
