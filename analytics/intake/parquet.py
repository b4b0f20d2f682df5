"""A Parquet file: whether it may be read, and its rows as text, by DuckDB.

Every type becomes the text that the same rules read: dates YYYY-MM-DD, whole numbers without ".0", true and false.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import duckdb

from analytics.intake.file_facts import FileFacts, column_names
from analytics.intake.file_text import ReadOptions, Refused
from analytics.intake.sql_text import literal

_WHOLE: Final = "1e15"  # as in a spreadsheet: a float with more digits than it can hold is no id

# How each type is written; what is not here is not read. `{c}` is the column.
_AS_TEXT: Final = {
    "VARCHAR": "{c}",
    "ENUM": "{c}::varchar",
    "UUID": "{c}::varchar",
    "BOOLEAN": "{c}::varchar",
    "DATE": "strftime({c}, '%Y-%m-%d')",
    "TIME": "{c}::varchar",
    "TIMESTAMP": "case when {c} = date_trunc('day', {c}) then strftime({c}, '%Y-%m-%d') "
    "else strftime({c}, '%Y-%m-%d %H:%M:%S') end",
    # An instant has a day only in a time zone, which the mapping names.
    "TIMESTAMP WITH TIME ZONE": "strftime(timezone('UTC', {c}), '%Y-%m-%dT%H:%M:%SZ')",
    "DECIMAL": r"regexp_replace({c}::varchar, '\.0+$', '')",
    "FLOAT": f"case when {{c}} = floor({{c}}) and abs({{c}}) < {_WHOLE} then {{c}}::bigint::varchar "
    "else {c}::varchar end",
}
_SAME: Final = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "UUID"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "UUID"),
    "DOUBLE": "FLOAT",
}


@dataclass(frozen=True, kw_only=True)
class ParquetFacts(FileFacts):
    """A Parquet file that can be read; `types` are DuckDB's, by place."""

    typed: ClassVar[bool] = True

    types: tuple[str, ...]

    def relation(
        self, connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str], dates: Collection[str]
    ) -> str:
        """Return SQL for the rows; DuckDB reads the file anew in every query."""
        places = sorted({self.columns.index(column) for column in columns})
        cells = "".join(f", {_as_text(self.types[place]).format(c=f'p{place}')} as c{place}" for place in places)
        names = ", ".join(f"p{place}" for place in range(len(self.columns)))
        return f"(select number + 1 as record{cells} from {_read(self.path)} as file({names}, number))"


def inspect_parquet(path: Path, options: ReadOptions) -> ParquetFacts:
    """Return the facts of a Parquet file, or raise Refused."""
    if not path.stat().st_size:
        raise Refused("EMPTY_FILE", f"{path.name} is empty.")
    file = literal(str(path))
    try:
        with duckdb.connect() as connection:
            elements = connection.execute(
                f"select name, coalesce(num_children, 0) from parquet_schema({file})"
            ).fetchall()
            described = connection.execute(f"describe select * from {_read(path)}").fetchall()
            (records,) = connection.execute(f"select num_rows from parquet_file_metadata({file})").fetchall()[0]
            (unpacked,) = connection.execute(
                f"select coalesce(sum(total_uncompressed_size), 0) from parquet_metadata({file})"
            ).fetchall()[0]
            # Every page once: a damaged one is found here, and not amid the rows.
            (rows,) = connection.execute(
                f"select count(hash(file)) from {_read(path)} as file where {int(unpacked)} <= {options.max_file_bytes}"
            ).fetchall()[0]
    except duckdb.Error:
        # Without DuckDB's words: they may hold what the file holds, and the path of the machine.
        raise Refused("FILE_TYPE", f"{path.name} is damaged, encrypted, or no Parquet file. Export it again.") from None
    if unpacked > options.max_file_bytes:
        raise Refused(
            "FILE_TOO_LARGE",
            f"{path.name} unpacks to {unpacked:,} bytes; the limit is {options.max_file_bytes:,}. Split it, or raise "
            "max_file_bytes in a mapping.",
        )
    if rows != records:
        raise Refused("FILE_TYPE", f"{path.name} does not have the rows that it says it has. Export it again.")
    header = tuple(str(name) for name, _ in elements[1:])
    types = tuple(str(row[1]) for row in described[:-1])
    nested = next((str(name) for name, children in elements[1:] if children), None)
    if nested is None and len(header) == len(types):
        nested = next((name for name, kind in zip(header, types, strict=True) if not _as_text(kind)), None)
    if nested is not None:
        raise Refused(
            "NESTED_COLUMN",
            f"A column of {path.name} holds lists, structures or bytes instead of single values. Flatten it, or leave "
            "it out of the export.",
            nested,
        )
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256")
    return ParquetFacts(
        path=path,
        options=options,
        header=header,
        columns=column_names(header, path.name),
        bytes=path.stat().st_size,
        sha256=digest.hexdigest(),
        records=int(records),
        types=types,
    )


def _as_text(kind: str) -> str:
    """Return the template for a type as DuckDB names it, "" for one that is not read."""
    # DECIMAL(4,1) is a DECIMAL; the units of a TIMESTAMP make no difference here.
    plain = kind.partition("(")[0].partition("_")[0]
    if kind.endswith("]"):
        return ""
    return _AS_TEXT.get(_SAME.get(plain, plain), "")


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, file_row_number=true, hive_partitioning=false)"
