"""Read a mapping: one TOML per source.

`docs/import.md#mappings` describes the keys. Everything that can be wrong in a TOML is found while it is
loaded, and said in a sentence that names the key.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import duckdb

from analytics.errors import ImportProblem
from analytics.instruments import find_instrument, load_instruments
from analytics.intake.file_text import MAX_FILE_BYTES, known_encoding
from analytics.intake.mapping_model import RawFile, SourceMapping
from analytics.intake.mapping_section import Section
from analytics.intake.mapping_tables import TableReader
from analytics.intake.model import TABLES
from analytics.intake.scales import FILE_SCALES, FileScale

_SPECS: Final = {spec.table: spec for spec in TABLES}


def load_mapping(path: Path) -> SourceMapping:
    """Read and check a mapping.

    Raises
    ------
    ImportProblem
        There is no such file, it is no TOML, or a key says something impossible; the sentence names the key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ImportProblem(f"The mapping {path.name} cannot be read. Check its path.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ImportProblem(f"The mapping {path.name} is no valid TOML: {problem}.") from None
    return _SourceReader(path.stem, path.name).read(content)


class _SourceReader(Section):
    """Reads a whole TOML."""

    def __init__(self, name: str, file: str) -> None:
        super().__init__(file)
        self._name = name

    def read(self, content: dict[str, Any]) -> SourceMapping:
        left = dict(content)
        given = self.take(left, "encoding", str, "utf-8")
        encoding = known_encoding(given)
        if encoding is None:
            raise self.wrong("encoding", 'this must be a text encoding such as "utf-8", "cp1252" or "utf-16".')
        delimiter = self.take(left, "delimiter", str, ",")
        delimiter = "\t" if delimiter.lower() == "tab" else delimiter
        if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n\0.-_':
            raise self.wrong("delimiter", 'this must be one character such as ";" or "|", or "tab".')
        decimal = self.take(left, "decimal", str, ".")
        if decimal not in (".", ","):
            raise self.wrong("decimal", 'this must be "." or ",".')
        timezone = self.take(left, "timezone", str, None)
        if timezone is not None and not _is_timezone(timezone):
            raise self.wrong("timezone", 'there is no such time zone; write it like "America/New_York".')
        max_file_bytes = self.take(left, "max_file_bytes", int, MAX_FILE_BYTES)
        if max_file_bytes < 1:
            raise self.wrong("max_file_bytes", "this must be at least 1.")
        study_days = self.take(left, "study_days", bool, False)
        observed_until = self.take(left, "observed_until", int, None)
        if observed_until is not None and not study_days:
            raise self.wrong("observed_until", "this is for sources in study days; dates have a data cut.")
        sources = self._sources(self.take(left, "sources", dict, {}))
        general = {
            "title": self.take(left, "title", str, self._name),
            "date_format": self.date_format(
                "date_format", self.take(left, "date_format", str, None), timezone is not None
            ),
            "timezone": timezone,
            "scales": self._scales(self.take(left, "scales", dict, {})),
            "decimal": decimal,
            "drops": self._sentences(left, "drops"),
            "rules": self._sentences(left, "rules"),
        }
        tables = {}
        for name in [name for name in _SPECS if name in left]:
            given = self.take(left, name, dict, {})
            tables[name] = TableReader(self._file, _SPECS[name], study_days, sources, timezone is not None).read(given)
        self.nothing_left(left, "")
        if tables and "episodes" not in tables:
            raise self.wrong("episodes", "a mapping that names tables must name this one.")
        return SourceMapping(
            name=self._name,
            encoding=encoding,
            delimiter=delimiter,
            max_file_bytes=max_file_bytes,
            study_days=study_days,
            observed_until=observed_until,
            sources=sources,
            tables=tables,
            **general,
        )

    def _sentences(self, table: dict[str, Any], key: str) -> tuple[str, ...]:
        given = self.take(table, key, list, [])
        if not all(isinstance(item, str) for item in given):
            raise self.wrong(key, "this must be a list of sentences.")
        return tuple(given)

    def _scales(self, given: dict[str, Any]) -> dict[str, FileScale]:
        scales = {}
        for name, said in given.items():
            instrument = find_instrument(name)
            if instrument is None or instrument.scale is None:
                two = [each.id for each in load_instruments().values() if each.scale]
                raise self.wrong(f"scales.{name}", f"only these have two scales: {', '.join(two)}.")
            if said not in FILE_SCALES:
                raise self.wrong(f"scales.{name}", "this must be raw or percent.")
            scales[instrument.id] = said
        return scales

    def _sources(self, given: dict[str, Any]) -> dict[str, RawFile]:
        sources = {}
        for name, file in given.items():
            key = f"sources.{name}"
            if not re.fullmatch("[a-z][a-z0-9_]*", name) or name.startswith("mapped_"):
                raise self.wrong(key, "a raw table has a name of small letters, digits and _.")
            table = dict(file) if isinstance(file, dict) else {"file": file}
            sources[name] = self.raw_file(key, table, f"{key}.")
            self.nothing_left(table, f"{key}.")
        return sources


def _is_timezone(name: str) -> bool:
    with duckdb.connect() as connection:
        found = connection.execute("select count(*) from pg_timezone_names() where name = ?", [name]).fetchone()
    return found == (1,)
