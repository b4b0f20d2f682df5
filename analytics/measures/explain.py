"""Why an episode is in a measure or out of it: the step at which it left, and the values that decided it.

The row is judged by the very expressions that the measure counts with, so what is said here adds up to its ladder.
An explanation is about one person and never leaves the house (docs/privacy.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from analytics.errors import MeasureProblem
from analytics.measures.cohort_sql import rows_of
from analytics.measures.ladder_sql import (
    PARAMETER,
    Step,
    amount_of,
    bound_to,
    is_matured,
    names_in,
    outcome_of,
    parameters_in,
    step_code,
    steps_of,
)
from analytics.measures.own_data import why_no_threshold, with_own_thresholds
from analytics.measures.subjects import subject_of
from analytics.measures.tally import why_not_collected
from analytics.measures.types import Cohort, Estimator, Measure, SnapshotCursor, Stratifier

EVERYBODY: Final = Cohort()


class Answer(StrEnum):
    """What became of an episode in a measure."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not known"
    NOT_COUNTED = "not counted"
    NOT_LOOKED_AT = "not looked at"
    NOT_COLLECTED = "not collected"


@dataclass(frozen=True)
class Explanation:
    """One episode in one measure. It cannot be drawn, and is for the people who treat this person.

    Attributes
    ----------
    step : number of the step at which the episode left, from 0; None where it passed them all or was not looked at.
    because : in words, what decided it. condition : the expression that decided, "" where none did.
    values : the columns named in the condition with their values, then the bound thresholds.
    """

    measure: Measure
    episode: int
    answer: Answer
    because: str
    step: int | None = None
    condition: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


def explain(
    measure: Measure,
    snapshot: SnapshotCursor,
    episode: int,
    cohort: Cohort = EVERYBODY,
    by: Stratifier | None = None,
) -> Explanation:
    """Say whether an episode is counted in a measure, and why.

    Parameters
    ----------
    episode : its number in this snapshot.
    cohort, by : as in `evaluate`; they decide what is looked at, and whether recent admissions wait.

    Raises
    ------
    MeasureProblem
        The snapshot has no such episode, or the cohort names what does not exist.
    """
    if (other := subject_of(measure).not_about_episodes) is not None:
        _check_episode(snapshot, episode)
        return Explanation(measure, episode, Answer.NOT_LOOKED_AT, other)
    measure = with_own_thresholds(measure, snapshot, cohort, by)
    steps = steps_of(measure, is_matured(measure, cohort, by))
    row = _row(measure, steps, snapshot, episode, cohort)
    if row is None:
        return Explanation(measure, episode, Answer.NOT_LOOKED_AT, _why_not_there(measure, snapshot, episode))
    code, outcome, columns = row
    if code < len(steps):
        failed = steps[code]
        answer, condition, because = Answer.NOT_COUNTED, failed.condition, failed.lost_label
        return Explanation(
            measure, episode, answer, because, code, condition, values_in(condition, columns, measure.parameters)
        )
    if absent := _not_collected(measure, snapshot):
        return Explanation(measure, episode, Answer.NOT_COLLECTED, absent)
    if none := why_no_threshold(measure):
        return Explanation(measure, episode, Answer.NOT_KNOWN, none)
    condition = _decisive(measure)
    answer, because = _answer(measure, outcome)
    return Explanation(
        measure,
        episode,
        answer,
        because,
        condition=condition,
        values=values_in(condition, columns, measure.parameters),
    )


def values_in(condition: str, columns: Mapping[str, object], parameters: Mapping[str, object]) -> dict[str, object]:
    """Return what a condition looks at: the columns it names, in their order there, then the thresholds it binds."""
    named = dict.fromkeys(names_in(condition))
    bound = dict.fromkeys(PARAMETER.findall(condition))
    return {name: columns[name] for name in named if name in columns} | {
        f"${name}": parameters[name] for name in bound if name in parameters
    }


def explanation_as_text(explanation: Explanation) -> str:
    """Return an explanation as lines for the command line."""
    measure = explanation.measure
    lines = [
        f"{measure.title} ({measure.name}), episode {explanation.episode}: {explanation.answer}.",
        f"Because: {explanation.because}",
    ]
    if explanation.condition:
        lines.append(f"Asked: {explanation.condition}")
        lines += [f"  {name}: {_said(value)}" for name, value in explanation.values.items()]
    lines.append("This is about one person. It stays inside.")
    return "\n".join(lines)


def _row(
    measure: Measure, steps: tuple[Step, ...], snapshot: SnapshotCursor, episode: int, cohort: Cohort
) -> tuple[int, bool | None, Mapping[str, object]] | None:
    """Return step code, outcome and all columns of the episode's row; None where the cohort does not hold it."""
    rows = rows_of(measure.table, cohort, measure.instrument)
    code, outcome = bound_to(0, step_code(steps)), bound_to(0, outcome_of(measure))
    text = f"select {code}, ({outcome}), looked_at\nfrom {rows.text} as looked_at\nwhere episode_id = $episode"
    values = {**parameters_in(text.replace("$episode", ""), {0: measure}, rows), "episode": episode}
    found: list[tuple[Any, ...]] = snapshot.query(text, values)
    if not found:
        return None
    ((number, answer, columns),) = found
    return int(number), answer, columns


def _not_collected(measure: Measure, snapshot: SnapshotCursor) -> str | None:
    if not measure.needs:
        return None
    (held,) = snapshot.query(f"select {', '.join(measure.needs)} from collected", {})
    return why_not_collected(measure, dict(zip(measure.needs, map(bool, held), strict=True)))


def _why_not_there(measure: Measure, snapshot: SnapshotCursor, episode: int) -> str:
    _check_episode(snapshot, episode)
    if measure.instrument is not None and not snapshot.query(
        "select 1 from score_outcome where episode_id = $episode and instrument = $instrument",
        {"episode": episode, "instrument": measure.instrument},
    ):
        return f"The program of this episode does not use {measure.instrument}."
    return "The filters, the period or the unit leave this episode out."


def _check_episode(snapshot: SnapshotCursor, episode: int) -> None:
    if not snapshot.query("select 1 from episode_outcome where episode_id = $episode", {"episode": episode}):
        raise MeasureProblem(f"There is no episode {episode} in this snapshot.")


def _decisive(measure: Measure) -> str:
    """Return the expression that says yes, no or not known."""
    if measure.estimator is Estimator.PROPORTION:
        return str(measure.success)
    if measure.estimator in (Estimator.RATIO, Estimator.RATE):
        return f"({measure.numerator}) of ({measure.denominator})"
    if measure.estimator is Estimator.MEAN_CHANGE:
        return f"{measure.first} to {measure.last}"
    if measure.estimator is Estimator.SLOPE:
        return f"scores by week: {', '.join(measure.weekly)}"
    cause = f"; way of leaving: {measure.cause}" if measure.cause else ""
    return f"{amount_of(measure)}{cause}"


def _answer(measure: Measure, outcome: bool | None) -> tuple[Answer, str]:
    if outcome is None:
        as_no = " It counts as no." if measure.missing == "failure" else ""
        return Answer.NOT_KNOWN, f"{measure.unknown_words}.{as_no}"
    if measure.estimator is Estimator.PROPORTION:
        return (Answer.YES, f"{measure.did}.") if outcome else (Answer.NO, "known not to be so.")
    if outcome:
        return Answer.YES, "it is counted with the values below."
    return Answer.NO, f"no {measure.ratio_unit} to count."


def _said(value: object) -> str:
    if value is None:
        return "not recorded"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
