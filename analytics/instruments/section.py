"""A part of a TOML whose keys are taken one by one, so that every mistake becomes a sentence with file and key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any, Final, TypeVar, cast, get_args

from analytics.errors import InstrumentProblem
from analytics.instruments.model import Evidence

_T = TypeVar("_T", str, int, float, bool, date, list[Any], dict[str, Any])

_WORDS: Final[dict[type, str]] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a day such as 2026-11-21",
    list: "a list",
    dict: "a table",
}


class Section:
    """One table of a TOML. Its values are taken by key; `close` complains about a key that nobody took."""

    def __init__(self, file: str, content: dict[str, Any], where: str = "") -> None:
        """Remember the file and the place in it, which begin every sentence."""
        self._file = file
        self._where = where
        self._left = dict(content)

    def wrong(self, key: str, what: str) -> InstrumentProblem:
        """Return the complaint about a key."""
        return InstrumentProblem(f"{self._file}, {self._where}{key}: {what}")

    def has(self, key: str) -> bool:
        """Return whether the key is given and not yet taken."""
        return key in self._left

    def must(self, key: str, kind: type[_T]) -> _T:
        """Take a value that must be given."""
        if key not in self._left:
            raise self.wrong(key, f"this is missing; it must be {_WORDS[kind]}.")
        return self._typed(key, kind, self._left.pop(key))

    def may(self, key: str, kind: type[_T], default: _T) -> _T:
        """Take a value that may be left out."""
        return self._typed(key, kind, self._left.pop(key)) if key in self._left else default

    def _typed(self, key: str, kind: type[_T], value: Any) -> _T:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        right = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        if not right or (isinstance(value, float) and not math.isfinite(value)):
            raise self.wrong(key, f"this must be {_WORDS[kind]}.")
        return cast(_T, value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; left out it is empty."""
        given = self.may(key, list, [])
        if not all(isinstance(text, str) and text.strip() for text in given):
            raise self.wrong(key, "this must be a list of texts.")
        return tuple(given)

    def one_of(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """Take one of a few words."""
        value = self.must(key, str) if default is None else self.may(key, str, default)
        if value not in allowed:
            raise self.wrong(key, f"this must be one of {', '.join(allowed)}.")
        return value

    def mark(self, key: str = "evidence") -> Evidence:
        """Take an evidence mark."""
        return cast(Evidence, self.one_of(key, get_args(Evidence)))

    def table(self, key: str) -> Section | None:
        """Take a table, None when there is none."""
        if key not in self._left:
            return None
        return Section(self._file, self.must(key, dict), f"{self._where}{key}.")

    def tables(self, key: str) -> list[Section]:
        """Take a list of tables; left out it is empty."""
        given = self.may(key, list, [])
        if not all(isinstance(table, dict) for table in given):
            raise self.wrong(key, "this must be a list of tables.")
        return [
            Section(self._file, table, f"{self._where}{key}[{place}].") for place, table in enumerate(given, start=1)
        ]

    def names(self) -> tuple[str, ...]:
        """Return the keys that nobody has taken yet."""
        return tuple(self._left)

    def close(self) -> None:
        """Complain about the first key that nobody took."""
        for key in self._left:
            raise self.wrong(key, "there is no such key.")
