"""The denominator ladder as SQL: a step code per measure beside its outcomes, counted by GROUPING SETS.

The step code says how far a row came: 0 to k-1 is the first of k steps it failed, k means that it passed them
all. It is never NULL, so steps partition the rows and the ladder's sums hold by construction. Conditions are
written `(…) is not true`, never `not (…)`: with a NULL inside, `not` would let the row through. Outcomes are
columns of their own, true, false or NULL for not known; variants of a measure stand in the same grouping set,
so that they cost no second pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.measures.cohort_sql import Rows
from analytics.measures.subjects import subject_of
from analytics.measures.types import Cohort, Estimator, Measure, Stratifier

# What an outcome column holds: the measure itself, another definition, a count beside it, a step of the ladder that
# takes nobody out, a paired answer.
VALUE: Final = "value"
VARIANT: Final = "variant"
COUNT: Final = "count"
STEP: Final = "step"
BEFORE: Final = "before"
AFTER: Final = "after"

MATURE_WORDS: Final = "long enough ago to have finished"
TOO_RECENT: Final = "too recent"

PARAMETER: Final = re.compile(r"\$([a-z][a-z0-9_]*)")


@dataclass(frozen=True)
class Step:
    """One condition of the ladder. `too_recent` marks the losses that time will mend."""

    condition: str
    label: str
    lost_label: str
    too_recent: bool = False


@dataclass(frozen=True)
class Outcome:
    """One column of outcomes: whose it is (a position in the list of measures), kind, words, expression."""

    measure: int
    kind: str
    words: str
    text: str


@dataclass(frozen=True)
class Statement:
    """SQL text and the values it binds, exactly those it names."""

    text: str
    parameters: Mapping[str, object]


# Columns of few values each, and the words of SQL that an expression of them may hold besides.
_CODES: Final = frozenset(
    ("modality", "level_of_care", "track", "population", "gender", "is_closed", "is_sud", "discharge_reason", "exit")
)
_MOST_CODES: Final = 4
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_LITERAL: Final = re.compile(r"'[^']*'")
_NOT_COLUMNS: Final = frozenset(
    _NAME.findall("case when then else end is not true false null in or and coalesce cast as tinyint distinct from")
)


def is_matured(measure: Measure, cohort: Cohort, by: Stratifier | None) -> bool:
    """True when the measure has a maturity rule and admission periods split or limit the cohort."""
    by_admission = by is Stratifier.ADMIT_PERIOD or cohort.bounded_by_admission
    return measure.mature is not None and by_admission


def steps_of(measure: Measure, matured: bool) -> tuple[Step, ...]:
    """Return the ladder's conditions in order: maturity, the eligible steps, the horizon."""
    steps = []
    if matured and measure.mature is not None:
        steps.append(Step(measure.mature, MATURE_WORDS, TOO_RECENT, too_recent=True))
    steps += [Step(text, label, measure.lost[label]) for label, text in measure.eligible.items()]
    if measure.horizon is not None:
        steps.append(Step(measure.horizon, measure.horizon_words, TOO_RECENT, too_recent=True))
    return tuple(steps)


def outcome_of(measure: Measure) -> str:
    """Return the boolean expression of a measure: NULL = not known, true = counted in the value."""
    if measure.estimator in (Estimator.RATIO, Estimator.RATE):
        return ratio_outcome(str(measure.numerator), str(measure.denominator))
    if measure.estimator is Estimator.MEAN_CHANGE:
        return f"case when ({measure.first}) is not null and ({measure.last}) is not null then true end"
    if measure.estimator in (Estimator.PROPORTION, Estimator.COST, Estimator.CAPACITY):
        return str(measure.success)
    if measure.estimator is Estimator.SLOPE:
        return f"case when coalesce({', '.join(measure.weekly)}) is not null then true end"
    return f"case when ({amount_of(measure)}) is not null then true end"


def amount_of(measure: Measure) -> str:
    """Return the number that a measure is about: days of a curve, the amount of a median or a mean."""
    return str(measure.amount if measure.estimator in (Estimator.MEDIAN, Estimator.MEAN) else measure.time)


def ratio_outcome(numerator: str, denominator: str) -> str:
    """Return whether a row has anything to count; NULL when either part is not known."""
    return f"case when ({numerator}) is not null then ({denominator}) > 0 end"


def step_code(steps: Iterable[Step]) -> str:
    """Return the CASE of a row's step code."""
    failing = [f"when ({step.condition}) is not true then {number}" for number, step in enumerate(steps)]
    if not failing:
        return "cast(0 as tinyint)"
    return f"cast(case {' '.join(failing)} else {len(failing)} end as tinyint)"


def passed(steps: Iterable[Step]) -> list[str]:
    """Return the conditions under which a row passes every step, to be joined by "and"."""
    return [f"({step.condition}) is true" for step in steps]


def outcomes(measures: Sequence[Measure]) -> list[Outcome]:
    """Return every outcome column that the measures ask for, each measure's own one first."""
    return [
        Outcome(position, kind, words, bound_to(position, text))
        for position, measure in enumerate(measures)
        for kind, words, text in _outcomes_of(measure)
    ]


def bound_to(position: int, text: str) -> str:
    """Give a measure's `$name` its own name in a statement that several measures share."""
    return PARAMETER.sub(rf"$m{position}_\1", text)


def parameters_in(text: str, measures: Mapping[int, Measure], rows: Rows) -> dict[str, object]:
    """Return the values that a statement names: the cohort's and each measure's, and nothing else.

    `measures` maps the position that `bound_to` was given to the measure.
    """
    values = {
        **rows.parameters,
        **{
            f"m{position}_{name}": value
            for position, measure in measures.items()
            for name, value in measure.parameters.items()
        },
    }
    return {name: values[name] for name in sorted(set(PARAMETER.findall(text)))}


def counting(measures: Sequence[Measure], matured: Sequence[bool], rows: Rows, split: str) -> Statement:
    """Return the one statement that counts every measure by group, step and outcomes.

    Its rows are `group, step codes (one per measure), outcome columns, count`. Exactly one step code of a row
    is not NULL and tells whose row it is; only that measure's outcome columns then mean anything.

    Parameters
    ----------
    split : the column to group by, or `null`.
    """
    columns = outcomes(measures)
    steps = [
        bound_to(position, step_code(steps_of(measure, mature)))
        for position, (measure, mature) in enumerate(zip(measures, matured, strict=True))
    ]
    codes = [f"{step} as s{position}" for position, step in enumerate(steps)]
    inner = ",\n    ".join([*codes, *(f"({column.text}) as o{n}" for n, column in enumerate(columns))])
    size, rows_counted, source = subject_of(measures[0]).size, "count(*)", rows.text
    if size is not None:
        inner, rows_counted = f"{inner},\n    {size} as size", "sum(size)"
    elif of_codes := _only_codes([split, *steps, *(column.text for column in columns)]):
        # Conditions on codes are asked of each combination that occurs, not of each row.
        source = f"(select {', '.join(of_codes)}, count(*) as size from {rows.text} group by all)"
        inner, rows_counted = f"{inner},\n    size", "sum(size)"
    names = [f"s{position}" for position in range(len(measures))] + [f"o{n}" for n in range(len(columns))]
    own = [[f"o{n}" for n, each in enumerate(columns) if each.measure == p] for p in range(len(measures))]
    sets = ",\n  ".join(f"(g, s{position}, {', '.join(outcome)})" for position, outcome in enumerate(own))
    text = (
        f"select g, {', '.join(names)}, {rows_counted} as episodes\nfrom (\n  select {split} as g,\n    {inner}\n"
        f"  from {source}\n)\ngroup by grouping sets (\n  {sets}\n)"
    )
    return Statement(text, parameters_in(text, dict(enumerate(measures)), rows))


def names_in(expression: str) -> list[str]:
    """Return the names in an expression, in its order: columns and words of SQL, no text and no bound value."""
    return _NAME.findall(_LITERAL.sub("", PARAMETER.sub("", expression)))


def _only_codes(expressions: Iterable[str]) -> list[str]:
    """Return the columns that some expressions read when all are codes and few, so that few combinations occur."""
    columns = {name for text in expressions for name in names_in(text)} - _NOT_COLUMNS
    return sorted(columns) if columns and columns <= _CODES and len(columns) <= _MOST_CODES else []


def _outcomes_of(measure: Measure) -> Iterator[tuple[str, str, str]]:
    yield VALUE, measure.title, outcome_of(measure)
    if measure.estimator is Estimator.PROPORTION:
        for words, success in measure.variants.items():
            yield VARIANT, words, success
        if measure.paired is not None:
            yield BEFORE, measure.title, measure.paired[0]
            yield AFTER, measure.title, measure.paired[1]
    for words, condition in measure.also_counted.items():
        yield COUNT, words, condition
    if measure.known_first is not None:
        yield STEP, measure.known_first[0], measure.known_first[1]
    for words, (condition, _) in measure.printed.items():
        yield STEP, words, condition
