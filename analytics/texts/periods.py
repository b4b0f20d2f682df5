"""Calendar periods in words: months, quarters and years; and the one day there is, the data cut."""

from __future__ import annotations

import re
from typing import Final

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
