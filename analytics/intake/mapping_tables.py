"""Read the part of a mapping's TOML that says how one canonical table is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from analytics.intake.file_facts import normalised
from analytics.intake.mapping_model import Account, AgeBand, ColumnSource, Constant, RawColumn, RawFile, TableMapping
from analytics.intake.mapping_section import Section
from analytics.intake.mapping_sql import check_count, check_select
from analytics.intake.model import DAY_TWINS, TableSpec
from analytics.intake.unpivot import CellFact, Unpivot

UNKNOWN: Final = "unknown"

# A row without one of these belongs to nobody, so "not known" is no answer there.
_NEVER_UNKNOWN: Final = frozenset({"person_id", "program_id", "admit_date"})


def output_names(spec: TableSpec, study_days: bool) -> dict[str, str]:
    """Return the columns that a mapping may give for a canonical file: name there -> name in the model."""
    if study_days:
        return {DAY_TWINS.get(column.name, column.name): column.name for column in spec.columns}
    return {column.name: column.name for column in spec.columns if column.name != "observed_until"}


def never_unknown(spec: TableSpec) -> frozenset[str]:
    """Return the columns of a canonical file that a mapping cannot declare "unknown"."""
    return frozenset(column.name for column in spec.columns if column.name in _NEVER_UNKNOWN | set(spec.key))


class TableReader(Section):
    """Reads the part of one canonical table."""

    def __init__(
        self, file: str, spec: TableSpec, study_days: bool, sources: Mapping[str, RawFile], times: bool
    ) -> None:
        super().__init__(file)
        self._name = spec.table
        self._spec = spec
        self._sources_known = sources
        self._names = output_names(spec, study_days)
        self._times = times

    def read(self, given: dict[str, Any]) -> TableMapping:
        """Return what the table says."""
        left, where = dict(given), f"{self._name}."
        select = self.take(left, "select", str, None, where)
        if ("file" in left) == (select is not None):
            raise self.wrong(self._name, "give either file (and columns) or select.")
        file = self.raw_file(where + "file", left, where) if "file" in left else None
        if select is not None:
            if not self._sources_known:
                raise self.wrong("sources", "a select needs the raw files that it reads.")
            check_select(f"{self._file}, {where}select", select, frozenset(self._sources_known))
        columns: dict[str, ColumnSource] = {}
        unknown = set()
        for name, value in self.take(left, "columns", dict, {}, where).items():
            key = f"{where}columns.{name}"
            if name not in self._names:
                raise self.wrong(key, f"{self._spec.file} has no such column (docs/data-dictionary.md lists them).")
            if value == UNKNOWN:
                if self._names[name] in never_unknown(self._spec):
                    raise self.wrong(key, "this column cannot be unknown: without it a row belongs to nobody.")
                unknown.add(name)
            else:
                columns[name] = self._column(key, value, select is not None)
        codes = self._codes(self.take(left, "codes", dict, {}, where), where)
        accounts = self._accounts(self.take(left, "accounts", dict, {}, where), where, select)
        if select is not None and codes:
            raise self.wrong(f"{where}codes", "write the translation into the select.")
        key = f"{where}date_format"
        date_format = self.date_format(key, self.take(left, "date_format", str, None, where), self._times)
        date_formats = self._date_formats(left, where, date_format)
        unpivots = tuple(
            self._unpivot(f"{where}unpivot", entry) for entry in self.take(left, "unpivot", list, [], where)
        )
        if unpivots and file is None:
            raise self.wrong(f"{where}unpivot", "this is for a file; in a select write SQL.")
        if twice := {name for each in unpivots for name in (each.value, *each.gives)} & (set(columns) | unknown):
            raise self.wrong(f"{where}unpivot", f"{min(twice)} is given here and by columns.")
        self.nothing_left(left, where)
        return TableMapping(
            table=self._name,
            file=file,
            select=select,
            columns=columns,
            unknown=frozenset(unknown),
            codes=codes,
            accounts=accounts,
            date_format=date_format,
            date_formats=date_formats,
            unpivots=unpivots,
        )

    def _date_formats(self, left: dict[str, Any], where: str, general: str | None) -> dict[str, str]:
        dates = [column.name for column in self._spec.columns if column.kind == "date"]
        formats: dict[str, str | None] = dict.fromkeys(dates, general)
        for name, given in self.take(left, "date_formats", dict, {}, where).items():
            key = f"{where}date_formats.{name}"
            if self._names.get(name) not in dates:
                raise self.wrong(key, "this must be a date column with its format.")
            formats[self._names[name]] = self.date_format(key, given, self._times)
        return {name: form for name, form in formats.items() if form is not None}

    def _unpivot(self, key: str, given: Any) -> Unpivot:
        if not isinstance(given, dict):
            raise self.wrong(key, "write it in double brackets: [[...]].")
        left = dict(given)
        columns = left.pop("columns", None)
        columns = [columns] if isinstance(columns, str) else columns
        if not isinstance(columns, list) or not columns or not all(isinstance(each, str) for each in columns):
            raise self.wrong(f"{key}.columns", 'this must be a pattern like "phq9_w{number}", or a list of columns.')
        value = self.take(left, "value", str, "", f"{key}.")
        for name in (value, *left):
            if name not in self._names:
                raise self.wrong(
                    f"{key}.{name}", f"{self._spec.file} has no such column (docs/data-dictionary.md lists them)."
                )
        # Every column of the group must have what the facts are made of.
        shared = [name for name in ("number", "word") if all("{" + name + "}" in column for column in columns)]
        gives = {name: self._cell_fact(f"{key}.{name}", fact, shared) for name, fact in left.items()}
        return Unpivot(tuple(columns), value, gives)

    def _cell_fact(self, key: str, given: Any, shared: list[str]) -> CellFact:
        if isinstance(given, str):
            fact = CellFact(text=given)
        elif not isinstance(given, dict):
            raise self.wrong(key, "this must be a text, or a table (docs/import.md).")
        elif set(given) == {"column"}:
            fact = CellFact(column=str(given["column"]))
        elif set(given) == {"by_column", "because"} and isinstance(given["by_column"], dict):
            values = {normalised(name): str(value) for name, value in given["by_column"].items()}
            fact = CellFact(by_column=values, because=str(given["because"]).strip())
        elif {"per_number", "because"} <= set(given) <= {"per_number", "because", "plus", "after"}:
            left = dict(given)
            fact = CellFact(
                per_number=self.take(left, "per_number", int, 0, f"{key}."),
                plus=self.take(left, "plus", int, 0, f"{key}."),
                after=self.take(left, "after", str, None, f"{key}."),
                because=self.take(left, "because", str, "", f"{key}.").strip(),
            )
            if "number" not in shared:
                raise self.wrong(key, "per_number needs {number} in the pattern of columns.")
        else:
            raise self.wrong(key, "this must be a text, { column }, { by_column, because } or { per_number, because }.")
        if (fact.by_column is not None or fact.per_number is not None) and not fact.because:
            raise self.wrong(key, "it needs its reason: because = ...")
        for template in (fact.text, fact.column, fact.after):
            for name in ("number", "word"):
                if template is not None and "{" + name + "}" in template and name not in shared:
                    raise self.wrong(key, "{" + name + "} stands here, but not in every pattern of columns.")
        return fact

    def _column(self, key: str, value: Any, select: bool) -> ColumnSource:
        if isinstance(value, dict) and "const" in value:
            if set(value) != {"const", "because"} or not str(value["because"]).strip():
                raise self.wrong(key, 'a constant needs its reason: { const = "IOP", because = "..." }.')
            text = str(value["const"])
            return Constant(text.lower() if isinstance(value["const"], bool) else text, str(value["because"]))
        if select:
            raise self.wrong(key, 'the select gives the columns; here only constants and "unknown" may stand.')
        if isinstance(value, str):
            return RawColumn(normalised(value))
        if isinstance(value, dict) and set(value) in ({"age"}, {"birth_date", "on"}):
            if not key.endswith(".age_band"):
                raise self.wrong(key, "only age_band is made from an age or a birth date.")
            raw = {name: normalised(str(column)) for name, column in value.items()}
            return AgeBand(raw.get("age"), raw.get("birth_date"), raw.get("on"))
        raise self.wrong(key, 'this must be a raw column, { const, because }, an age, or "unknown".')

    def _codes(self, given: dict[str, Any], where: str) -> dict[str, dict[str, str]]:
        codes = {}
        for name, pairs in given.items():
            if name not in self._names or not isinstance(pairs, dict):
                raise self.wrong(f"{where}codes.{name}", "this must be a canonical column with raw = canonical.")
            codes[name] = {raw.strip().lower(): str(code) for raw, code in pairs.items()}
        return codes

    def _accounts(self, given: dict[str, Any], where: str, select: str | None) -> dict[str, Account]:
        accounts = {}
        tables = frozenset({*self._sources_known, f"mapped_{self._name}"})
        for source, table in given.items():
            key = f"{where}accounts.{source}."
            if select is None or source not in self._sources_known or not isinstance(table, dict):
                raise self.wrong(key.rstrip("."), "an account is of a raw table of this mapping's selects.")
            left = dict(table)
            used = self.take(left, "used", str, None, key)
            reasons = self.take(left, "left_out", dict, {}, key)
            self.nothing_left(left, key)
            for reason, count in {**({"used": used} if used is not None else {}), **reasons}.items():
                check_count(f"{self._file}, {key}{reason}", count, tables)
            accounts[source] = Account(used, reasons)
        return accounts
