"""The denominator ladder as SQL: one small code per row and meaning of success, counted by GROUPING SETS.

A code says how far a row came. 0 to k-1: the first of k steps it failed; k: outcome not known; k+1: no; k+2:
yes. It is never NULL, so steps partition the rows and the ladder's sums hold by construction. Conditions are
written `(…) is not true`, never `not (…)`: with a NULL inside, `not` would let the row through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.measures.cohort_sql import Rows
from analytics.measures.types import Cohort, Estimator, Measure, Stratifier

# What a column of codes holds: the measure itself, another definition, a count beside it, a paired answer.
VALUE: Final = "value"
VARIANT: Final = "variant"
COUNT: Final = "count"
PAIRED: Final = "paired"

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
class CodeColumn:
    """One column of codes: whose it is (a position in the list of measures), what it means, its CASE text."""

    measure: int
    kind: str
    words: str
    text: str


@dataclass(frozen=True)
class Statement:
    """SQL text and the values it binds, exactly those it names."""

    text: str
    parameters: Mapping[str, object]


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
    """Return the boolean expression behind the codes: NULL = not known, true = counted in the value."""
    if measure.estimator is Estimator.RATIO:
        return ratio_outcome(*ratio_parts(measure))
    if measure.estimator is Estimator.MEAN_CHANGE:
        return f"case when ({measure.first}) is not null and ({measure.last}) is not null then true end"
    if measure.estimator is Estimator.PROPORTION:
        return str(measure.success)
    return f"case when ({measure.time}) is not null then true end"


def ratio_parts(measure: Measure) -> tuple[str, str]:
    """Return the two sums of a ratio as expressions per row."""
    return str(measure.numerator), str(measure.denominator)


def ratio_outcome(numerator: str, denominator: str) -> str:
    """Return whether a row has anything to count; NULL when either part is not known."""
    return f"case when ({numerator}) is not null then ({denominator}) > 0 end"


def code_text(steps: Iterable[Step], outcome: str) -> str:
    """Return the CASE of a row's code for one meaning of success."""
    failing = _failing(steps)
    k = len(failing)
    return _case([*failing, f"when ({outcome}) is null then {k}", f"when ({outcome}) then {k + 2}"], k + 1)


def paired_text(steps: Iterable[Step], before: str, after: str) -> str:
    """Return the CASE of a paired answer: k not both known, then yes-yes, yes-no, no-yes, no-no."""
    failing = _failing(steps)
    k = len(failing)
    answers = [
        f"when ({before}) is null or ({after}) is null then {k}",
        f"when ({before}) and ({after}) then {k + 1}",
        f"when ({before}) then {k + 2}",
        f"when ({after}) then {k + 3}",
    ]
    return _case([*failing, *answers], k + 4)


def code_columns(measures: Sequence[Measure], matured: Sequence[bool]) -> list[CodeColumn]:
    """Return every column of codes that the measures ask for, each measure's own one first."""
    return [
        CodeColumn(position, kind, words, bound_to(position, text))
        for position, (measure, mature) in enumerate(zip(measures, matured, strict=True))
        for kind, words, text in _columns_of(measure, steps_of(measure, mature))
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
    """Return the one statement that counts every code of every measure by group.

    Its rows are `group, code of column 0, code of column 1, …, count`; exactly one code of a row is not NULL
    and tells which column was counted.

    Parameters
    ----------
    split : the column to group by, or `null`.
    """
    columns = code_columns(measures, matured)
    names = [f"c{number}" for number in range(len(columns))]
    codes = ",\n".join(f"    {column.text} as {name}" for column, name in zip(columns, names, strict=True))
    sets = ", ".join(f"(g, {name})" for name in names)
    text = (
        f"select g, {', '.join(names)}, count(*) as episodes\nfrom (\n  select {split} as g,\n{codes}\n"
        f"  from {rows.text}\n)\ngroup by grouping sets ({sets})"
    )
    return Statement(text, parameters_in(text, dict(enumerate(measures)), rows))


def _columns_of(measure: Measure, steps: tuple[Step, ...]) -> Iterator[tuple[str, str, str]]:
    yield VALUE, measure.title, code_text(steps, outcome_of(measure))
    if measure.estimator is Estimator.PROPORTION:
        for words, success in measure.variants.items():
            yield VARIANT, words, code_text(steps, success)
        if measure.paired is not None:
            yield PAIRED, measure.title, paired_text(steps, *measure.paired)
    for words, condition in measure.also_counted.items():
        yield COUNT, words, code_text(steps, condition)


def _failing(steps: Iterable[Step]) -> list[str]:
    return [f"when ({step.condition}) is not true then {number}" for number, step in enumerate(steps)]


def _case(branches: Iterable[str], otherwise: int) -> str:
    return f"cast(case {' '.join(branches)} else {otherwise} end as tinyint)"
