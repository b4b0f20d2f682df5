"""What can be said of a file that fits no canonical one: how it might still be used, without a value of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from analytics.intake.proposal.evidence import best_format, number
from analytics.intake.proposal.profile import ColumnProfile, FileProfile
from analytics.intake.proposal.vocabulary import instrument_in, name_score

_SERIES: Final = 4
"""So many columns that differ in a number only are a series: weeks, visits or questions."""

_FACTS: Final = ("age_band", "gender", "payer_group", "primary_condition", "referral_source", "site")


def hints(file: FileProfile) -> Iterator[str]:
    """Yield sentences about a file that is not used."""
    series = _series(file)
    if series:
        words = ", ".join(f"{stem}… ({count} columns)" for stem, count in series.items())
        yield (
            f"It is wide: {words}. If each column is a week, a visit or a question, a mapping can turn them into rows "
            "(docs/import.md)."
        )
    wide = [raw.written for raw in file.columns if instrument_in(raw.written) is not None and _is_number(raw)]
    if len(wide) > 1 and not series:
        yield f"Its columns {_listed(wide)} look like totals of questionnaires, one column each."
    if not any(best_format(raw)[1] >= 0.9 for raw in file.columns if raw.filled):
        counted = [raw.written for raw in file.columns if _is_study_day(raw)]
        yield "It has no column of days." + (
            f" If {_listed(counted)} counts days for each person, read about study days in docs/import.md."
            if counted
            else ""
        )
    facts = [
        raw.written for raw in file.columns if any(name_score(raw.written, "episodes", name) > 0.9 for name in _FACTS)
    ]
    ids = [raw.written for raw in file.columns if name_score(raw.written, "episodes", "person_id") > 0.9]
    if facts and ids:
        yield (
            f"It holds facts about people ({_listed(facts)}). A select in the mapping can join them to the stays by "
            f"{ids[0]} (docs/import.md)."
        )


def _series(file: FileProfile) -> dict[str, int]:
    stems: dict[str, int] = {}
    for raw in file.columns:
        match = re.fullmatch(r"(.*?)\d+", raw.written)
        if match and match[1] and _is_number(raw):
            stems[match[1]] = stems.get(match[1], 0) + 1
    return {stem: count for stem, count in stems.items() if count >= _SERIES}


def _is_number(raw: ColumnProfile) -> bool:
    return raw.filled > 0 and raw.share(lambda value: number(value) is not None) >= 0.95


def _is_study_day(raw: ColumnProfile) -> bool:
    named = re.search(r"\b(when|day|days|week)\b", raw.written.lower().replace("_", " ")) is not None
    return named and _is_number(raw)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
