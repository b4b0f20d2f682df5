"""Calendar periods in words: months, quarters and years; and the one day there is, the data cut."""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Final, Literal

Grain = Literal["month", "quarter", "year"]

# The grains, finest first, and how many months each has.
MONTHS_IN: Final[dict[Grain, int]] = {"month": 1, "quarter": 3, "year": 12}

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_PERIOD: Final = re.compile(r"(?P<year>[0-9]{4})(?:-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4])))?")


def _months(period: str) -> tuple[str, int | None, int | None]:
    """Return the year and the first and last month (1 to 12; None for a whole year)."""
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise ValueError("A period is a year (2026), a quarter (2026-Q1) or a month (2026-03).")
    year = found["year"]
    if found["month"]:
        return year, int(found["month"]), int(found["month"])
    if found["quarter"]:
        last = 3 * int(found["quarter"])
        return year, last - 2, last
    return year, None, None


def grain_of(period: str) -> Grain:
    """Return whether a label is a month ("2026-03"), a quarter ("2026-Q1") or a year ("2026").

    Raises
    ------
    ValueError
        When the text is none of the three forms.
    """
    _, first, last = _months(period)
    return "year" if first is None else "month" if first == last else "quarter"


def months_of(period: str) -> range:
    """Return the months of a period, counted from the year 0: whole numbers that tell which periods lie in which."""
    year, first, last = _months(period)
    return range(12 * int(year) + (first or 1) - 1, 12 * int(year) + (last or 12))


def place_of(period: str) -> int:
    """Return where a period lies among those of its grain; the next one is one further, whatever the year."""
    return months_of(period).start // MONTHS_IN[grain_of(period)]


def period_at(place: int, grain: Grain) -> str:
    """Return the period at a place among those of its grain: what `place_of` was asked about."""
    year, number = divmod(place, 12 // MONTHS_IN[grain])
    if grain == "year":
        return f"{year:04}"
    return f"{year:04}-{number + 1:02}" if grain == "month" else f"{year:04}-Q{number + 1}"


def is_over(period: str, data_as_of: str) -> bool:
    """Return whether a period had ended by the data cut.

    Parameters
    ----------
    data_as_of
        The data cut at the grain it is kept at: a day ("2026-09-30") or a period. Within the period of the data
        cut itself nobody can know, so it is not over.
    """
    if len(data_as_of) == len("2026-09-30"):
        year, before = divmod(months_of(period).stop - 1, 12)
        last_day = calendar.monthrange(year, before + 1)[1]
        return date(year, before + 1, last_day) <= date.fromisoformat(data_as_of)
    return months_of(period).stop <= months_of(data_as_of).start


def period_words(period: str) -> str:
    """Return a period in words: "2026-03" → "March 2026", "2026-Q1" → "January to March 2026", "2026".

    Raises
    ------
    ValueError
        When the text is none of the three forms.
    """
    year, first, last = _months(period)
    if first is None or last is None:
        return year
    if first == last:
        return f"{MONTHS[first - 1]} {year}"
    return f"{MONTHS[first - 1]} to {MONTHS[last - 1]} {year}"


def data_cut_words(label: str) -> str:
    """Return the data cut in words, at the grain it is kept at: "2026-09-30" → "30 September 2026"."""
    period, _, day = label.rpartition("-")
    if len(label) == len("2026-09-30"):
        return f"{int(day)} {period_words(period)}"
    return period_words(label)


def period_short(period: str) -> str:
    """Return a period for a row or an axis: "Mar 2026", "Jan–Mar 2026", "2026"."""
    year, first, last = _months(period)
    if first is None or last is None:
        return year
    if first == last:
        return f"{MONTHS[first - 1][:3]} {year}"
    return f"{MONTHS[first - 1][:3]}–{MONTHS[last - 1][:3]} {year}"


def period_range_words(start: str | None, end: str | None) -> str:
    """Return a span of periods, both ends included: "January to December 2025", "since March 2025".

    None is an open end; with both open the span is "at any time".
    """
    if start is None:
        return "at any time" if end is None else f"up to {_edge_words(end, last=True)}"
    if end is None:
        return f"since {_edge_words(start, last=False)}"
    if start == end:
        text = period_words(start)
        return text if " to " in text else f"in {text}"
    months_said = len(start) > 4 or len(end) > 4
    first = _edge_words(start, last=False, month_said=months_said)
    final = _edge_words(end, last=True, month_said=months_said)
    if start[:4] == end[:4]:
        first = first.rsplit(" ", 1)[0]  # the year is said once
    return f"{first} to {final}"


def _edge_words(period: str, *, last: bool, month_said: bool = False) -> str:
    year, first_month, last_month = _months(period)
    month = last_month if last else first_month
    if month is None and month_said:
        month = 12 if last else 1
    return year if month is None else f"{MONTHS[month - 1]} {year}"
