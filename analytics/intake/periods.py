"""Months, quarters and years: the text of a period in a file, and its label at the grain of the privacy mode.

A period is stored as text: `2026-03`, `2026-Q1` or `2026`. A day counts as its month. What is finer than the grain of
the privacy mode is made coarser here; what is coarser stays as it is.
"""

from __future__ import annotations

from analytics.intake.relative import PrivacyMode, period_label


def period_of(text: str, day: str) -> str:
    """Return SQL for the period that a text names, NULL when it names none.

    Parameters
    ----------
    day : SQL for the date that the text may be instead.
    """
    form = f"replace(replace(upper({text}), ' ', '-'), '_', '-')"
    return (
        rf"case when regexp_full_match({form}, '\d{{4}}(-(0[1-9]|1[0-2]))?') then {form} "
        rf"when regexp_full_match({form}, '\d{{4}}-?Q[1-4]') then left({form}, 4) || '-Q' || right({form}, 1) "
        f"else strftime({day}, '%Y-%m') end"
    )


def first_day(period: str) -> str:
    """Return SQL for the first day of a period, in days since 2000-01-01."""
    of_quarter, of_month = f"3 * right({period}, 1)::integer - 2", f"right({period}, 2)::integer"
    month = f"case when length({period}) = 4 then 1 when {period}[6] = 'Q' then {of_quarter} else {of_month} end"
    return f"(make_date(left({period}, 4)::integer, {month}, 1) - date '2000-01-01')::integer"


def months_in(period: str) -> str:
    """Return SQL for the number of months in a period: 1, 3 or 12."""
    return f"case when length({period}) = 4 then 12 when {period}[6] = 'Q' then 3 else 1 end"


def last_day(period: str) -> str:
    """Return SQL for the last day of a period, in days since 2000-01-01."""
    first = f"date '2000-01-01' + {first_day(period)}"
    return f"(({first} + to_months({months_in(period)}))::date - date '2000-01-02')::integer"


def coarse_label(period: str, mode: PrivacyMode) -> str:
    """Return SQL for the label of a period: itself, or at the grain of the privacy mode when it is finer."""
    finest = {"expert": 3, "safe_harbor": 12}.get(mode, 1)
    return f"case when {months_in(period)} >= {finest} then {period} else {period_label(first_day(period), mode)} end"
