"""Read a mapping: one TOML per source.

`docs/import.md#mappings` describes the keys. Everything that can be wrong in a TOML is found while it is
loaded, and said in a sentence that names the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from analytics.errors import ImportProblem
from analytics.intake.file_text import MAX_FILE_BYTES, Encoding
from analytics.intake.mapping_model import (
    Account,
    AgeBand,
    ColumnSource,
    Constant,
    RawColumn,
    SourceMapping,
    TableMapping,
)
from analytics.intake.mapping_sql import check_count, check_select
from analytics.intake.model import DAY_TWINS, TABLES, TableSpec
from analytics.intake.readers import normalised

UNKNOWN: Final = "unknown"

_ENCODINGS: Final[dict[str, Encoding]] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "iso-8859-1": "latin-1",
    "cp1252": "cp1252",
    "windows-1252": "cp1252",
}
_DELIMITERS: Final = {",": ",", ";": ";", "|": "|", "\t": "\t", "tab": "\t"}
_DATE_WORDS: Final = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d"}
_DATE_FORMAT: Final = r"(%[YymdbB]|[-/. ,])+"

_SPECS: Final = {spec.table: spec for spec in TABLES}
# A row without one of these belongs to nobody, so "not known" is no answer there.
_NEVER_UNKNOWN: Final = frozenset({"person_id", "program_id", "admit_date"})


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


def output_names(spec: TableSpec, study_days: bool) -> dict[str, str]:
    """Return the columns that a mapping may give for a canonical file: name there -> name in the model."""
    if study_days:
        return {DAY_TWINS.get(column.name, column.name): column.name for column in spec.columns}
    return {column.name: column.name for column in spec.columns if column.name != "observed_until"}


def never_unknown(spec: TableSpec) -> frozenset[str]:
    """Return the columns of a canonical file that a mapping cannot declare "unknown"."""
    return frozenset(column.name for column in spec.columns if column.name in _NEVER_UNKNOWN | set(spec.key))


class _Section:
    """A part of one TOML; every complaint begins with the file and the key."""

    def __init__(self, file: str) -> None:
        self._file = file

    def _wrong(self, key: str, what: str) -> ImportProblem:
        return ImportProblem(f"{self._file}, {key}: {what}")

    def _take(self, table: dict[str, Any], key: str, kind: type, default: Any, where: str = "") -> Any:
        value = table.pop(key, default)
        if value is not default and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            words = {
                str: "a text",
                int: "a whole number",
                bool: "true or false",
                dict: "a table",
                list: "a list",
            }
            raise self._wrong(where + key, f"this must be {words[kind]}.")
        return value

    def _nothing_left(self, table: dict[str, Any], where: str) -> None:
        for key in table:
            raise self._wrong(where + key, "there is no such key (docs/import.md lists them).")

    def _check_file(self, key: str, file: Any) -> None:
        if not isinstance(file, str) or not re.fullmatch(r"[^/\\]+\.csv(\.gz)?", file, re.IGNORECASE):
            raise self._wrong(key, "this must be the name of a .csv or .csv.gz file in the import folder.")


class _SourceReader(_Section):
    """Reads a whole TOML."""

    def __init__(self, name: str, file: str) -> None:
        super().__init__(file)
        self._name = name

    def read(self, content: dict[str, Any]) -> SourceMapping:
        left = dict(content)
        encoding = self._take(left, "encoding", str, "utf-8").lower()
        if encoding not in _ENCODINGS:
            raise self._wrong("encoding", "only utf-8, latin-1 and cp1252 can be read. Save the files as CSV UTF-8.")
        delimiter = self._take(left, "delimiter", str, ",")
        if delimiter not in _DELIMITERS:
            raise self._wrong("delimiter", 'this must be "," or ";" or "|" or "tab".')
        max_file_bytes = self._take(left, "max_file_bytes", int, MAX_FILE_BYTES)
        if max_file_bytes < 1:
            raise self._wrong("max_file_bytes", "this must be at least 1.")
        study_days = self._take(left, "study_days", bool, False)
        observed_until = self._take(left, "observed_until", int, None)
        if observed_until is not None and not study_days:
            raise self._wrong("observed_until", "this is for sources in study days; dates have a data cut.")
        sources = self._sources(self._take(left, "sources", dict, {}))
        general = {
            "title": self._take(left, "title", str, self._name),
            "date_format": self._date_format(self._take(left, "date_format", str, None)),
            "timezone": self._take(left, "timezone", str, None),
            "drops": self._sentences(left, "drops"),
            "rules": self._sentences(left, "rules"),
        }
        tables = {}
        for name in [name for name in _SPECS if name in left]:
            given = self._take(left, name, dict, {})
            tables[name] = _TableReader(self._file, _SPECS[name], study_days, sources).read(given)
        self._nothing_left(left, "")
        if tables and "episodes" not in tables:
            raise self._wrong("episodes", "a mapping that names tables must name this one.")
        return SourceMapping(
            name=self._name,
            encoding=_ENCODINGS[encoding],
            delimiter=_DELIMITERS[delimiter],
            max_file_bytes=max_file_bytes,
            study_days=study_days,
            observed_until=observed_until,
            sources=sources,
            tables=tables,
            **general,
        )

    def _sentences(self, table: dict[str, Any], key: str) -> tuple[str, ...]:
        given = self._take(table, key, list, [])
        if not all(isinstance(item, str) for item in given):
            raise self._wrong(key, "this must be a list of sentences.")
        return tuple(given)

    def _date_format(self, given: str | None) -> str | None:
        if given is None:
            return None
        form = given
        if "%" not in form:
            for word, directive in _DATE_WORDS.items():
                form = form.replace(word, directive)
        parts = [form.count(directive) for directive in ("%d", "%m", "%b", "%B", "%Y", "%y")]
        complete = parts[0] == 1 and sum(parts[1:4]) == 1 and sum(parts[4:]) == 1
        if not complete or not re.fullmatch(_DATE_FORMAT, form):
            raise self._wrong("date_format", "this must be like MM/DD/YYYY or %d.%m.%Y, with day, month and year.")
        return form

    def _sources(self, given: dict[str, Any]) -> dict[str, str]:
        for name, file in given.items():
            if not re.fullmatch("[a-z][a-z0-9_]*", name) or name.startswith("mapped_"):
                raise self._wrong(f"sources.{name}", "a raw table has a name of small letters, digits and _.")
            self._check_file(f"sources.{name}", file)
        return dict(given)


class _TableReader(_Section):
    """Reads the part of one canonical table."""

    def __init__(self, file: str, spec: TableSpec, study_days: bool, sources: Mapping[str, str]) -> None:
        super().__init__(file)
        self._name = spec.table
        self._spec = spec
        self._sources_known = sources
        self._names = output_names(spec, study_days)

    def read(self, given: dict[str, Any]) -> TableMapping:
        left, where = dict(given), f"{self._name}."
        file = self._take(left, "file", str, None, where)
        select = self._take(left, "select", str, None, where)
        if (file is None) == (select is None):
            raise self._wrong(self._name, "give either file (and columns) or select.")
        if file is not None:
            self._check_file(where + "file", file)
        else:
            if not self._sources_known:
                raise self._wrong("sources", "a select needs the raw files that it reads.")
            check_select(f"{self._file}, {where}select", select, frozenset(self._sources_known))
        columns: dict[str, ColumnSource] = {}
        unknown = set()
        for name, value in self._take(left, "columns", dict, {}, where).items():
            key = f"{where}columns.{name}"
            if name not in self._names:
                raise self._wrong(key, f"{self._spec.file} has no such column (docs/data-dictionary.md lists them).")
            if value == UNKNOWN:
                if self._names[name] in never_unknown(self._spec):
                    raise self._wrong(key, "this column cannot be unknown: without it a row belongs to nobody.")
                unknown.add(name)
            else:
                columns[name] = self._column(key, value, select is not None)
        codes = self._codes(self._take(left, "codes", dict, {}, where), where)
        accounts = self._accounts(self._take(left, "accounts", dict, {}, where), where, select)
        if select is not None and codes:
            raise self._wrong(f"{where}codes", "write the translation into the select.")
        self._nothing_left(left, where)
        return TableMapping(self._name, file, select, columns, frozenset(unknown), codes, accounts)

    def _column(self, key: str, value: Any, select: bool) -> ColumnSource:
        if isinstance(value, dict) and "const" in value:
            if set(value) != {"const", "because"} or not str(value["because"]).strip():
                raise self._wrong(key, 'a constant needs its reason: { const = "IOP", because = "..." }.')
            text = str(value["const"])
            return Constant(text.lower() if isinstance(value["const"], bool) else text, str(value["because"]))
        if select:
            raise self._wrong(key, 'the select gives the columns; here only constants and "unknown" may stand.')
        if isinstance(value, str):
            return RawColumn(normalised(value))
        if isinstance(value, dict) and set(value) in ({"age"}, {"birth_date", "on"}):
            if not key.endswith(".age_band"):
                raise self._wrong(key, "only age_band is made from an age or a birth date.")
            raw = {name: normalised(str(column)) for name, column in value.items()}
            return AgeBand(raw.get("age"), raw.get("birth_date"), raw.get("on"))
        raise self._wrong(key, 'this must be a raw column, { const, because }, an age, or "unknown".')

    def _codes(self, given: dict[str, Any], where: str) -> dict[str, dict[str, str]]:
        codes = {}
        for name, pairs in given.items():
            if name not in self._names or not isinstance(pairs, dict):
                raise self._wrong(f"{where}codes.{name}", "this must be a canonical column with raw = canonical.")
            codes[name] = {raw.strip().lower(): str(code) for raw, code in pairs.items()}
        return codes

    def _accounts(self, given: dict[str, Any], where: str, select: str | None) -> dict[str, Account]:
        accounts = {}
        tables = frozenset({*self._sources_known, f"mapped_{self._name}"})
        for source, table in given.items():
            key = f"{where}accounts.{source}."
            if select is None or source not in self._sources_known or not isinstance(table, dict):
                raise self._wrong(key.rstrip("."), "an account is of a raw table of this mapping's selects.")
            left = dict(table)
            used = self._take(left, "used", str, None, key)
            reasons = self._take(left, "left_out", dict, {}, key)
            self._nothing_left(left, key)
            for reason, count in {**({"used": used} if used is not None else {}), **reasons}.items():
                check_count(f"{self._file}, {key}{reason}", count, tables)
            accounts[source] = Account(used, reasons)
        return accounts
