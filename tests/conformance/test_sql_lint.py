"""SQL of the store and of the measures keeps to what gives the same answer every time, on every engine.

Each rule is a construct that was seen to give another answer, or an error, on another engine, with ties, with
NULL or with large numbers (feasibility.md 3.2 and 8.6).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from analytics.measures.catalog import CATALOG
from analytics.settings import PROJECT_ROOT

SQL_FILES = sorted((PROJECT_ROOT / "analytics").rglob("*.sql"))

FORBIDDEN = {
    "`//` divides whole numbers on one engine only and refuses 0": r"//",
    "`concat` skips NULL on one engine: use ||": r"\bconcat\s*\(",
    "which row `min_by` or `arg_max` picks of a tie is luck: pack a key": r"\b((min|max)_by|arg_(min|max))\s*\(",
    "`any_value` and `first` take any row: pack a key": r"\b(any_value|first|last)\s*\(",
    "`^` is a power here and exclusive-or there": r"\^",
    "8 and 16 bits overflow in expressions: INTEGER": r"\bu?(tinyint|smallint)\b|\bint[12]\b|\bshort\b",
    "`::` hides a cast that rounds: write cast(floor(...))": r"::",
}
WHOLE_NUMBERS = r"(u?(big|huge)?int(eger)?|int[48]|long)"

# The fields of a Measure that are words, numbers or names. Whatever is not listed is taken for SQL.
NOT_SQL = {
    "id",
    "title",
    "question",
    "of_whom",
    "did",
    "table",
    "lost",
    "estimator",
    "better",
    "source",
    "reviewed",
    "family",
    "no_family",
    "unknown_words",
    "known_words",
    "horizon_words",
    "missing",
    "ratio_unit",
    "per",
    "amount_unit",
    "amount_range",
    "narrower",
    "open_ended",
    "time_unit",
    "read_at",
    "needs",
    "notes",
    "minimum_for_headline",
    "instrument",
    "profile",
    "deviations",
    "parameters",
    "weighted",
}


def code_of(sql: str) -> str:
    """Return the text without comments and without what stands between quotes."""
    return re.sub(r"--[^\n]*|'[^']*'", " ", sql.lower())


def inside(text: str, opening: int) -> str:
    """Return what stands between the bracket at `opening` and the one that closes it."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return text[opening + 1 : place]
    raise ValueError("a bracket is never closed")


def rounded_divisions(code: str) -> Iterator[str]:
    """Yield casts to a whole number of a division that no floor stands around: one engine rounds, one truncates."""
    for match in re.finditer(r"\bcast\s*\(", code):
        cast = inside(code, match.end() - 1)
        expression, _, target = cast.rpartition(" as ")
        while floor := re.search(r"\bfloor\s*\(", expression):
            whole = inside(expression, floor.end() - 1)
            expression = expression[: floor.start()] + " 0 " + expression[floor.end() + len(whole) + 1 :]
        if "/" in expression and re.fullmatch(WHOLE_NUMBERS, target.strip()):
            yield cast.strip()


def problems(sql: str) -> list[str]:
    code = code_of(sql)
    found = [
        f"{rule}: {code[m.start() - 30 : m.end() + 30]!r}"
        for rule, p in FORBIDDEN.items()
        for m in re.finditer(p, code)
    ]
    return found + [f"a division is cast without floor: {cast!r}" for cast in rounded_divisions(code)]


def expressions_of(value: object) -> Iterator[str]:
    """Yield the SQL of a field: itself, its items, or its values (keys are words)."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from expressions_of(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from expressions_of(item)


def test_there_is_sql_to_look_at() -> None:
    assert {"1_range.sql", "once.sql", "schema.sql"} <= {file.name for file in SQL_FILES}


@pytest.mark.parametrize("file", SQL_FILES, ids=lambda file: file.name)
def test_sql_files_use_only_what_is_safe(file: Path) -> None:
    assert problems(file.read_text(encoding="utf-8")) == []


def test_row_expressions_of_measures_use_only_what_is_safe() -> None:
    names = [field.name for field in fields(CATALOG[0])]
    assert set(names) >= NOT_SQL, "a field of Measure was renamed: say here whether it is SQL"
    found = {
        f"{measure.name} {name}: {expression}": problems(expression)
        for measure in CATALOG
        for name in names
        if name not in NOT_SQL
        for expression in expressions_of(getattr(measure, name))
    }
    # Every measure says who is counted; were there none, this test would look at nothing.
    assert len(found) >= len(CATALOG)
    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "sql",
    [
        "select day // 7",
        "select concat(site, program)",
        "select min_by(total, day)",
        "select arg_max(total, day)",
        "select any_value(total)",
        "select first (total)",
        "select 2 ^ 3",
        "select cast(day as smallint)",
        "create table t (n tinyint)",
        "select day::integer",
        "select cast(day / 7 as integer)",
        "select cast(floor(day / 7) + los_days / 7 as int)",
        "select cast((a + b) / nullif(c, 0) as bigint)",
    ],
)
def test_the_lint_finds(sql: str) -> None:
    assert problems(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 -- a // b ^ c",
        "select 'first(' as first, 'a::b'",
        "select cast(floor(day / 7) as integer)",
        "select cast(floor((a + floor(b / 2)) / 7) % 8 - 1 as integer)",
        "select cast(total / 10 as double)",
        "select first, last from score_outcome where first >= last",
        "select cast(sum(minutes) as integer)",
    ],
)
def test_the_lint_lets_pass(sql: str) -> None:
    assert not problems(sql)
