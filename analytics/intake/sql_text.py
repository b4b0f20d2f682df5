"""Names and texts inside SQL: quoted so that nothing in a file can become part of a statement."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Return an identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text in single quotes, for statements that take no parameters (views, table functions)."""
    return "'" + text.replace("'", "''") + "'"
