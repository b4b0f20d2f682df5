"""Which raw values a proposal may show or save: codes that a person must translate, and nothing else.

A code cannot be translated by somebody who does not see it; a name must never be seen. A value is shown as it is only
when its column is proposed for a code list and looks like one throughout (few different values, short, none of the form
of an identifier), and when the value itself is either a word of the vocabulary or stands in many rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from analytics.intake.identifiers import mask, value_finding

MOST_CODES: Final = 60
"""A column with more different values than this is no code list."""

ROWS_TO_SHOW: Final = 11
"""A value in fewer rows is masked: the limit below which a count is small everywhere in this project."""

LONGEST_CODE: Final = 48

# A long number or the beginning of a UUID: an id of the system, of whatever.
_AN_ID: Final = re.compile(r"\d{6}|[0-9a-fA-F]{8}-")


def is_code_list(counts: Mapping[str, int]) -> bool:
    """Return True when a column looks like codes: few different values, all short, none with an identifier's form.

    Parameters
    ----------
    counts : rows by value, of the whole file.
    """
    return 0 < len(counts) <= MOST_CODES and not any(
        len(value) > LONGEST_CODE or value_finding(value) or _AN_ID.search(value) for value in counts
    )


def may_show(value: str, rows: int, known_word: bool, code_list: bool) -> bool:
    """Return True when a value of a column proposed for a code list may be shown and saved as it is.

    Parameters
    ----------
    rows : that hold it. known_word : it stands in the vocabulary. code_list : `is_code_list` of its column.
    """
    return known_word or (code_list and rows >= ROWS_TO_SHOW)


def shown(value: str, visible: bool) -> str:
    """Return the value in quotation marks, or its masked form."""
    return f'"{value}"' if visible else mask(value)
