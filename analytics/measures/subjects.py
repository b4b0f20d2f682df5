"""What a row of an outcome table is: an episode, or something else of which less is known.

A request for help has no modality and no site. A filter, split or unit that rows do not know does not raise an error:
there is no number, and a sentence that says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from analytics.measures.types import Cohort, Counted, Estimator, Measure, Stratifier, Table, Unit
from analytics.texts import words


@dataclass(frozen=True)
class Subject:
    """What the rows of an outcome table are.

    Attributes
    ----------
    rows : where they are read from, as SQL; columns bear the names of the splits.
    counted : what is counted, by the unit of the cohort; a unit that is missing is not known of these rows.
    everybody : the first rung of the ladder, by the same units.
    splits : the splits and filters that rows know.
    whom : ends the sentence on what is not known.
    size : the column that says how many a row stands for; None = one.
    wave : the columns within which nobody can be two rows, where rows have no person; None = they have.
    sources : what the rows are made of, besides what a measure needs.
    not_about_episodes : the sentence for somebody who asks about one episode; None where rows are episodes.
    """

    rows: str
    counted: Mapping[Unit, Counted]
    everybody: Mapping[Unit, str]
    splits: frozenset[str]
    whom: str
    sources: tuple[str, ...] = ("episodes",)
    size: str | None = None
    wave: str | None = None
    not_about_episodes: str | None = None


# Rows of scores are of the questionnaires of a program: who was admitted to another program has none.
ASKS_IT: Final = "a program that asks it"


def _of_episodes(table: Table) -> Subject:
    is_of_scores = table is Table.SCORE_OUTCOME
    where = f" in {ASKS_IT}" if is_of_scores else ""
    return Subject(
        rows=table.value,
        counted={"episode": "episode", "person": "person", "course": "course"},
        everybody={
            "episode": f"admitted to {ASKS_IT}" if is_of_scores else "admitted",
            "person": f"people{where}, by their first closed episode",
            "course": f"courses of treatment{where}, by their last episode",
        },
        splits=frozenset(Stratifier) - {Stratifier.RESPONDENT, Stratifier.AT_LANDMARK},
        whom="of episodes",
    )


NO_LANDMARK: Final = (
    "Groups by how long people stayed are compared only from a fixed day on, as in hospital_after_28: who stays longer "
    "has had more time."
)

# What cannot be said of rows that know nothing of the unit.
UNIT_WORDS: Final[Mapping[Unit, str]] = {"person": "who is the same person", "course": "courses of treatment"}

SUBJECTS: Final[Mapping[Table, Subject]] = {
    Table.EPISODE_OUTCOME: _of_episodes(Table.EPISODE_OUTCOME),
    Table.SCORE_OUTCOME: _of_episodes(Table.SCORE_OUTCOME),
    Table.REFERRAL_OUTCOME: Subject(
        rows="(select *, source as referral_source, period as admit_period from referral_outcome)",
        counted={"episode": "request", "person": "person"},
        everybody={"episode": "asked for help", "person": "people who asked for help, by one of their requests"},
        splits=frozenset({Stratifier.REFERRAL_SOURCE, Stratifier.ADMIT_PERIOD}),
        whom="of people who only asked for help",
        not_about_episodes="This measure is about requests for help, not about episodes.",
    ),
    Table.SATISFACTION_OUTCOME: Subject(
        rows="(select *, period as admit_period from satisfaction_outcome)",
        counted={"episode": "invitation"},
        everybody={"episode": "asked how satisfied they are"},
        splits=frozenset({Stratifier.PROGRAM, Stratifier.ADMIT_PERIOD, Stratifier.RESPONDENT}),
        whom="of people who were asked how satisfied they are",
        sources=(),
        size="invitations",
        wave="program_id, period_code, respondent",
        not_about_episodes="This measure is about answers that nobody can be told from, not about episodes.",
    ),
}


# Ratios that stand on what programs cost and offered, which nobody knows of a single person.
PROGRAM_RATIOS: Final = (Estimator.COST, Estimator.CAPACITY)
_PROGRAMS: Final = Subject(
    rows="finance",
    counted={"episode": "episode"},
    everybody={"episode": "admitted"},
    splits=frozenset({Stratifier.PROGRAM, Stratifier.ADMIT_PERIOD}),
    whom="of costs and places",
    not_about_episodes="This measure is about programs and periods, not about episodes.",
)


# The steps of their ladder, in place of maturity: who remains, who falls out.
KNOWN_PERIOD: Final[Mapping[Estimator, tuple[str, str]]] = {
    Estimator.COST: ("in a period whose costs are known", "in a period without known costs"),
    Estimator.CAPACITY: ("in a period whose places are known", "in a period without known places"),
}
OLD_ENOUGH: Final = ("in a period in which everybody came long enough ago", "too recent")


def period_steps(measure: Measure) -> tuple[tuple[str, str], ...]:
    """Return the steps of a ratio of programs that are about whole periods, as (who remains, who falls out)."""
    if measure.estimator not in PROGRAM_RATIOS:
        return ()
    known = KNOWN_PERIOD[measure.estimator]
    return (known, OLD_ENOUGH) if measure.mature else (known,)


def subject_of(measure: Measure) -> Subject:
    """Return what the measure's rows are."""
    return _PROGRAMS if measure.estimator in PROGRAM_RATIOS else SUBJECTS[measure.table]


def splits_of(measure: Measure) -> frozenset[str]:
    """Return the splits of a measure: those that its rows know, and that of its landmark."""
    splits = subject_of(measure).splits
    return splits if measure.landmark is None else splits | {Stratifier.AT_LANDMARK}


def everybody_words(measure: Measure) -> str:
    """Return who is counted where nobody is left out."""
    return f"everybody {subject_of(measure).everybody['episode']}"


def counted_as(measure: Measure, unit: Unit) -> Counted:
    """Return what is counted under a unit of the cohort; of a unit that is not known, the rows themselves."""
    counted = subject_of(measure).counted
    return counted.get(unit, counted["episode"])


def why_not_known(measure: Measure, cohort: Cohort) -> str | None:
    """Return the sentence for filters, periods and units that the rows do not know; None when they know all."""
    subject = subject_of(measure)
    unknown = list(unknown_filters(subject, cohort))
    if cohort.unit not in subject.counted:
        unknown.append(UNIT_WORDS[cohort.unit])
    return _not_known(subject, unknown) if unknown else None


def why_no_groups(measure: Measure, by: Stratifier | None) -> str | None:
    """Return the sentence for a split that the rows do not know; None without one."""
    if by is None or by in splits_of(measure):
        return None
    if by is Stratifier.AT_LANDMARK:
        return NO_LANDMARK
    return _not_known(subject_of(measure), [words("heading", by.value)])


def unknown_filters(subject: Subject, cohort: Cohort) -> Iterator[str]:
    """Yield, in words, what the cohort asks for and the rows do not know."""
    columns = [column for column, codes in cohort.where.items() if codes]
    if cohort.start is not None or cohort.end is not None:
        columns.append(Stratifier.ADMIT_PERIOD.value)
    yield from (words("heading", column) for column in dict.fromkeys(columns) if column not in subject.splits)


def _not_known(subject: Subject, what: Iterable[str]) -> str:
    return f"Not known {subject.whom}: {', '.join(what)}."
