"""What a select of a mapping may do: read its raw tables, calculate, order its rows. Nothing else.

The statement is parsed by DuckDB itself and its tree is walked, so that no spelling gets around the check.
File access is switched off besides, before any select runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import duckdb

from analytics.errors import ImportProblem

_TABLE_FUNCTIONS: Final = frozenset({"unnest", "generate_series", "range"})

# The same files must give the same rows tomorrow and elsewhere, and no select looks outside its tables.
_FORBIDDEN_PREFIXES: Final = (
    "read_",
    "current_",
    "getenv",
    "pg_",
    "random",
    "setseed",
    "uuid",
    "gen_random",
    "nextval",
)
_FORBIDDEN: Final = frozenset({"now", "today", "getvariable", "currval", "version"})
# These are written without brackets, so they look like columns.
_CLOCKS: Final = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})


def check_select(key: str, text: str, tables: frozenset[str]) -> None:
    """Raise ImportProblem unless the text is one SELECT over these tables that ends in an order by.

    `key` begins the sentence: the file and the key of the TOML.
    """
    node = _check(key, text, tables)
    modifiers = [modifier["type"] for modifier in node.get("modifiers", [])]
    if "ORDER_MODIFIER" not in modifiers:
        raise ImportProblem(f"{key}: the select must end in order by with columns, so that rows keep their numbers.")
    if "LIMIT_MODIFIER" in modifiers:
        raise ImportProblem(f"{key}: a limit drops rows without a word. Name what is left out in an account.")


def check_count(key: str, text: Any, tables: frozenset[str]) -> None:
    """Raise ImportProblem unless the text is one SELECT over these tables; it is to give one number."""
    if not isinstance(text, str):
        raise ImportProblem(f"{key}: this must be a select that gives one number.")
    _check(key, text, tables)


def _check(key: str, text: str, tables: frozenset[str]) -> dict[str, Any]:
    if ";" in text:
        raise ImportProblem(f"{key}: a select has no semicolon.")
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as problem:
        raise ImportProblem(f"{key}: this is no SQL that DuckDB reads. {first_line(problem)}") from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise ImportProblem(f"{key}: this must be exactly one SELECT.")
    with duckdb.connect() as connection:
        row = connection.execute("select json_serialize_sql($text)", {"text": text}).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        raise ImportProblem(f"{key}: this must be exactly one SELECT.")
    nodes = list(_nodes(tree))
    names = {entry["key"].lower() for node in nodes for entry in (node.get("cte_map") or {}).get("map", [])}
    for node in nodes:
        _check_node(key, node, tables | names)
    return dict(tree["statements"][0]["node"])


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _check_node(key: str, node: dict[str, Any], tables: frozenset[str]) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE":
        name = node["table_name"].lower()
        if name not in tables or node["schema_name"] or node["catalog_name"]:
            raise ImportProblem(f"{key}: {name!r} is none of its tables ({', '.join(sorted(tables))}).")
    elif kind == "TABLE_FUNCTION":
        name = node["function"]["function_name"].lower()
        if name not in _TABLE_FUNCTIONS:
            raise ImportProblem(f"{key}: a select may not use {name}(); it reads only the files of [sources].")
    elif kind == "FUNCTION":
        name = node["function_name"].lower()
        if name in _FORBIDDEN or name.startswith(_FORBIDDEN_PREFIXES):
            raise ImportProblem(f"{key}: a select may not use {name}(): the same files must always give the same rows.")
    elif kind == "COLUMN_REF" and (name := node["column_names"][-1].lower()) in _CLOCKS:
        raise ImportProblem(f"{key}: a select may not use {name}: the same files must always give the same rows.")


def first_line(problem: duckdb.Error) -> str:
    """Return what may be said of an error of a select: never a value, which errors over values hold."""
    about_text = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
    if isinstance(problem, about_text):
        return str(problem).split("\n", maxsplit=1)[0]
    if isinstance(problem, (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)):
        return "A value could not be read as the select wants it; try_cast makes it NULL instead."
    return f"DuckDB stopped with {type(problem).__name__}."
