"""How one column of text becomes a typed value, and which rule a value breaks: SQL expressions, one per kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from analytics.instruments import load_questionnaires, other_forms, questionnaire_forms
from analytics.intake.identifiers import value_finding_sql
from analytics.intake.model import Column, TableSpec
from analytics.intake.periods import first_day, period_of
from analytics.intake.rules import Finding
from analytics.store.codes import CODES, FOLLOWUP_DUE_DAYS

if TYPE_CHECKING:
    from analytics.intake.staging import StagingContext

ID_PATTERN: Final = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_ISO_MIDNIGHT: Final = r"\d{4}-\d{2}-\d{2}([ T]00:00(:00(\.0+)?)?)?"
# A moment: a day with a time of day, and what may follow it.
MOMENT: Final = r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?"
OFFSET: Final = r" ?([Zz]|[+-]\d{2}(:?\d{2})?)"
WITH_DECIMAL_COMMA: Final = r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"

# What a spreadsheet writes instead of a value; its #N/A means "not given".
CELL_ERRORS: Final = (
    "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#GETTING_DATA", "#SPILL!", "#CALC!", "#FIELD!",
    "#BLOCKED!", "#UNKNOWN!", "#CONNECT!", "#BUSY!",
)  # fmt: skip
_ITEM: Final = r"^(?:item|question|q)?_?0*([1-9][0-9]?)(?:\.0)?(?:_?(?:([a-z])|([a-z]{2,})))?$"
_TRUE: Final = "('true', 't', 'yes', 'y', '1')"
_FALSE: Final = "('false', 'f', 'no', 'n', '0')"


def normal_form(expression: str, blank: str) -> str:
    """Return SQL for a code without case, its blanks and hyphens (and underscores, for '') replaced by `blank`."""
    form = f"replace(replace(lower({expression}), ' ', '{blank}'), '-', '{blank}')"
    return form if blank == "_" else f"replace({form}, '_', '')"


def read_column(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    """Return the typed value of a column as SQL over `text`, and the rules it can break, in order.

    A value that cannot be read is NULL; the rules tell such a NULL from a value that was not given.
    """
    value, rules = _KINDS[column.kind](column, text, spec, context)
    # Self reports of days carry no test result; the row rule of substance_use asks for one of the two.
    optional = (spec.table, column.name) == ("substance_use", "result")
    if column.required and not optional and column.name not in context.unknown:
        rules = [(f"{text} is null", column.name, "REQUIRED"), *rules]
    return value, rules


def type_of(column: Column) -> str:
    """Return the type of the values that `read_column` gives, as SQL."""
    if column.kind in ("code", "age_band"):
        return f"{column.codes}_code"
    return _TYPES.get(column.kind, "varchar")


def _unreadable(column: Column, text: str, rule: str) -> Finding:
    name = '"' + column.name + '"'
    return f"{text} is not null and {name} is null", column.name, rule


def _read_id(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    bad: list[Finding] = [
        (rf"regexp_full_match({text}, '\d+(\.\d+)?[eE][+-]?\d+')", column.name, "ID_SCIENTIFIC"),
        (f"not regexp_full_match({text}, '{ID_PATTERN}')", column.name, "BAD_ID"),
        (value_finding_sql(text), column.name, "PHI_VALUE"),
    ]
    if column.name == f"{spec.parent}_id":
        # A parent was checked with its own file: only an orphan needs a closer look, which spares millions of checks.
        orphan: list[Finding] = [(f"ix is null and {condition}", name, rule) for condition, name, rule in bad]
        return text, [*orphan, ("ix is null", column.name, "FK_MISSING")]
    return text, bad


def cell_error_rule(column: str, text: str) -> Finding:
    """Return the rule that finds an error of a spreadsheet instead of a value, in whatever format it came."""
    errors = ", ".join(f"'{error}'" for error in CELL_ERRORS)
    return f"{text}[1] = '#' and list_contains([{errors}], upper({text}))", column, "CELL_ERROR"


def _day(column: Column, text: str, context: StagingContext) -> str:
    """Return SQL for the DATE that a text stands for; NULL when it is none."""
    # The plain ten-character form first: it is nearly every value, and needs no regular expression.
    iso = (
        f"case when strlen({text}) = 10 and {text}[5] = '-' and {text}[8] = '-' then try_cast({text} as date) "
        f"when regexp_full_match({text}, '{_ISO_MIDNIGHT}') then try_cast(left({text}, 10) as date) end"
    )
    form = context.format_of(column.name)
    ways = [] if form is None else [f"try_strptime({text}, '{form}')::date"]
    if form is None or context.typed:
        ways.insert(0, iso)
    if context.timezone is not None:
        instant = f"try_cast(replace({text}, ' +', '+') as timestamptz)"
        ways.append(
            f"case when regexp_full_match({text}, '{MOMENT}') then try_cast({text} as timestamp)::date "
            f"when regexp_full_match({text}, '{MOMENT}{OFFSET}') "
            f"then timezone('{context.timezone}', {instant})::date end"
        )
    return f"coalesce({', '.join(ways)})" if len(ways) > 1 else ways[0]


def _number(text: str, context: StagingContext) -> str:
    """Return SQL for the DOUBLE that a text stands for; NULL when it is none."""
    plain = f"try_cast({text} as double)"
    if context.decimal == ".":
        return plain
    comma = (
        f"try_cast(case when regexp_full_match({text}, '{WITH_DECIMAL_COMMA}') "
        f"then replace(replace({text}, '.', ''), ',', '.') end as double)"
    )
    return f"coalesce({plain}, {comma})" if context.typed else comma


def _read_date(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    name = '"' + column.name + '"'
    if context.study_days:
        whole = f"try_cast({text} as double)"
        return f"case when {whole} = floor({whole}) then {whole}::integer end", [
            _unreadable(column, text, "BAD_NUMBER")
        ]
    parsed = _day(column, text, context)
    read_as_iso = context.format_of(column.name) is None
    invalid: list[Finding] = (
        [(f"{name} is null and regexp_full_match({text}, '{_ISO_MIDNIGHT}')", column.name, "DATE_INVALID")]
        if read_as_iso
        else []
    )
    # A discharge after the data cut leaves the episode open instead of setting the row aside.
    leaves_open = spec.table == "episodes" and column.name == "discharge_date"
    # When readmissions were observable may reach beyond the cut; it is cut off there later.
    open_ended = spec.table in ("capture", "readmissions") and column.name in ("to", "discharge_date")
    after_cut: list[Finding] = (
        [] if leaves_open or open_ended else [(f"{name} > {context.cut_day}", column.name, "AFTER_DATA_CUT")]
    )
    return f"(({parsed}) - date '2000-01-01')::integer", [
        *invalid,
        _unreadable(column, text, "DATE_FORMAT"),
        (f"{name} < 0", column.name, "DATE_RANGE"),
        *([] if open_ended else [(f"{name} > {context.import_day}", column.name, "DATE_FUTURE")]),
        *after_cut,
    ]


def _read_period(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    day = _day(column, text, context)
    first = first_day(column.name)
    return period_of(text, day), [
        _unreadable(column, text, "PERIOD_FORMAT"),
        (f"{first} < 0", column.name, "DATE_RANGE"),
        *(
            (f"greatest({first}, ({day}) - date '2000-01-01') > {limit}", column.name, rule)
            for limit, rule in ((context.import_day, "DATE_FUTURE"), (context.cut_day, "AFTER_DATA_CUT"))
        ),
    ]


def _read_code(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    codes = CODES[column.codes]
    forms = " ".join(f"when '{code.lower().replace('-', '_')}' then '{code}'::{column.codes}_code" for code in codes)
    value = f"coalesce(try_cast({text} as {column.codes}_code), case code_form({text}) {forms} end)"
    return value, [_unreadable(column, text, "BAD_ENUM")]


def _read_age_band(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    value, rules = _read_code(column, text, spec, context)
    over = (
        f"{text} <> '90+' and try_cast(regexp_extract({text}, '^\\d+') as integer) >= 90",
        column.name,
        "AGE_OVER_89",
    )
    return value, [over, *rules]


def _read_codes(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    parts = f"list_sort(list_distinct(string_split(replace(lower({text}), ' ', ''), '|')))"
    valid = r"[a-z0-9_]{1,32}(\|[a-z0-9_]{1,32})*"
    value = (
        f"case when regexp_full_match(replace(lower({text}), ' ', ''), '{valid}') "
        f"then array_to_string({parts}, '|') end"
    )
    return value, [_unreadable(column, text, "BAD_ENUM")]


def _read_word(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    value = f"case when regexp_full_match(code_form({text}), '[a-z0-9_]{{1,32}}') then code_form({text}) end"
    return value, [_unreadable(column, text, "BAD_ENUM")]


def _read_number(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    name = '"' + column.name + '"'
    rules = [_unreadable(column, text, "BAD_NUMBER")]
    if column.low is not None and column.high is not None:
        rules.append((f"{name} not between {column.low} and {column.high}", column.name, column.range_rule))
    return _number(text, context), rules


def _read_integer(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    number = _number(text, context)
    value = f"case when {number} = floor({number}) and abs({number}) < 1e9 then {number}::integer end"
    rules = [_unreadable(column, text, "BAD_NUMBER")]
    if (spec.table, column.name) == ("followups", "due_day"):
        rules.append((f"due_day not in {FOLLOWUP_DUE_DAYS}", column.name, "BAD_ENUM"))
    if column.low is not None and column.high is not None:
        name = '"' + column.name + '"'
        outside = f"{name} not between {column.low} and {column.high}"
        rules.append((outside, column.name, column.range_rule))
    return value, rules


def _read_boolean(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    value = f"case when lower({text}) in {_TRUE} then true when lower({text}) in {_FALSE} then false end"
    return value, [_unreadable(column, text, "BAD_BOOL")]


def _read_instrument(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    return "identity", [_is_named(text, other_forms(), "OTHER_FORM"), _unreadable(column, text, "BAD_ENUM")]


def _read_questionnaire(
    column: Column, text: str, spec: TableSpec, context: StagingContext
) -> tuple[str, list[Finding]]:
    scored = {each.id for each in load_questionnaires().values() if each.items}
    totals_only = frozenset(form for form, identity in questionnaire_forms().items() if identity not in scored)
    rules = [_is_named(text, other_forms(), "OTHER_FORM"), _is_named(text, totals_only, "ITEMS_NOT_SCORED")]
    return "identity", [*rules, _unreadable(column, text, "BAD_ENUM")]


def _is_named(text: str, forms: frozenset[str], rule: str) -> Finding:
    names = ", ".join(repr(form) for form in sorted(forms))
    return f"list_contains([{names}], instrument_form({text}))", "instrument", rule


def _read_item(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    # "Item 3", "q03", "3" and "3.0" (a spreadsheet's) are the same question; so are "7a" and "7 A".
    found = f"regexp_extract(code_form({text}), '{_ITEM}', ['number', 'letter', 'word'])"
    word = f"case {found}.word when '' then '' else '_' || {found}.word end"
    value = f"nullif({found}.number || {found}.letter || {word}, '')"
    return value, [_unreadable(column, text, "ITEM_UNKNOWN")]


def _read_answer(column: Column, text: str, spec: TableSpec, context: StagingContext) -> tuple[str, list[Finding]]:
    value = (
        f"coalesce({_number(text, context)}, "
        f"case when lower({text}) in {_TRUE} then 1.0 when lower({text}) in {_FALSE} then 0.0 end)"
    )
    return value, [_unreadable(column, text, "BAD_NUMBER")]


# Of kinds whose values are no texts; a date is a whole number of days.
_TYPES: Final = {
    "date": "integer",
    "integer": "integer",
    "number": "double",
    "total": "double",
    "answer": "double",
    "boolean": "boolean",
}

_Reader = Callable[[Column, str, TableSpec, "StagingContext"], tuple[str, list[Finding]]]
_KINDS: Final[dict[str, _Reader]] = {
    "id": _read_id,
    "date": _read_date,
    "period": _read_period,
    "code": _read_code,
    "age_band": _read_age_band,
    "codes": _read_codes,
    "word": _read_word,
    "integer": _read_integer,
    "number": _read_number,
    "total": _read_number,
    "boolean": _read_boolean,
    "instrument": _read_instrument,
    "questionnaire": _read_questionnaire,
    "item": _read_item,
    "answer": _read_answer,
}
