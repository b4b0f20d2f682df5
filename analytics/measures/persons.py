"""Distinct people behind a denominator: for the total, and for the groups small enough to matter.

Counting people costs more than the measure itself, so it is one statement for the totals of all measures, and
one more that fetches the rows of small groups only. People are numbered without gaps, so a set of them is a
row of bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.measures.cohort_sql import Rows
from analytics.measures.groups import groups_of
from analytics.measures.ladder_sql import Statement, bound_to, outcome_of, parameters_in, passed, steps_of
from analytics.measures.scan import Findings, Scan
from analytics.measures.small_groups import PERSONS_NOT_COUNTED_FROM
from analytics.measures.subjects import subject_of
from analytics.measures.tally import Tally
from analytics.measures.types import ALL, NOT_KNOWN, Estimator, Measure, SnapshotCursor, Stratifier


@dataclass(frozen=True)
class Persons:
    """People in the cohort, and people behind the denominators: by position of the measure, then by group.

    A group that is missing was not asked for: it has `PERSONS_NOT_COUNTED_FROM` episodes or more, or none at all. Rows
    without a person are at least as many people as the largest wave has rows; how many there are in the cohort nobody
    knows.
    """

    in_cohort: int | None
    behind: tuple[dict[str, int], ...]


def count_persons(scan: Scan, findings: Findings, snapshot: SnapshotCursor) -> Persons:
    """Count the people of one scan."""
    rows_behind = [
        {group: _rows_behind(measure, tally) for group, tally in findings.own(position).items()}
        for position, measure in enumerate(scan.measures)
    ]
    if wave := subject_of(scan.measures[0]).wave:
        return _of_waves(scan, rows_behind, wave, snapshot)
    if scan.unit == "person" and subject_of(scan.measures[0]).not_about_episodes is None:
        # Every row is another person.
        return Persons(findings.own(0)[ALL].total, tuple(rows_behind))
    ((lowest, highest),) = snapshot.query(
        f"select min(person_id), max(person_id) from {scan.measures[0].table.value}", {}
    )
    if lowest is None:
        return Persons(0, tuple({ALL: 0} for _ in scan.measures))
    total = _of_totals(scan, lowest, highest)
    ((in_cohort, *everybody),) = snapshot.query(total.text, total.parameters)
    behind = [{ALL: count} for count in everybody]
    small = _small_split_values(scan, findings, rows_behind)
    if scan.by is not None and small:
        fetch = _of_small_groups(scan, small)
        people = _distinct(snapshot.query(fetch.text, fetch.parameters), small, scan.by)
        for position, by_group in people.items():
            for group, members in by_group.items():
                if rows_behind[position][group] < PERSONS_NOT_COUNTED_FROM:
                    behind[position][group] = len(members)
    return Persons(in_cohort, tuple(behind))


def _of_waves(scan: Scan, rows_behind: Sequence[Mapping[str, int]], wave: str, snapshot: SnapshotCursor) -> Persons:
    """Take the largest number of rows behind each denominator in one wave; a wave lies within one group."""
    positions = range(len(scan.measures))
    size = subject_of(scan.measures[0]).size or "1"
    sums = [f"coalesce(sum({size}) filter (where {_behind(scan, p)}), 0) as w{p}" for p in positions]
    text = (
        f"select g, {', '.join(f'max(w{p})' for p in positions)}\nfrom (\n"
        f"  select {scan.split} as g, {', '.join(sums)}\n  from {scan.rows.text}\n  group by {scan.split}, {wave}\n)\n"
        "group by g"
    )
    found = _statement(scan, text, {})
    behind: list[dict[str, int]] = [{} for _ in positions]
    for raw, *largest in snapshot.query(found.text, found.parameters):
        for position, people in zip(positions, largest, strict=True):
            for group in groups_of(raw, scan.by):
                if rows_behind[position][group] < PERSONS_NOT_COUNTED_FROM:
                    behind[position][group] = max(behind[position].get(group, 0), int(people))
    return Persons(None, tuple(behind))


def _rows_behind(measure: Measure, tally: Tally) -> int:
    if measure.estimator is not Estimator.PROPORTION:
        return tally.yes
    return tally.known if measure.missing == "shown" else tally.eligible


def _behind(scan: Scan, position: int) -> str:
    """Return the condition under which a row belongs to the measure's denominator."""
    measure = scan.measures[position]
    conditions = passed(steps_of(measure, scan.matured[position]))
    if measure.estimator is not Estimator.PROPORTION:
        conditions.append(f"({outcome_of(measure)}) is true")
    elif measure.missing == "shown":
        conditions.append(f"({outcome_of(measure)}) is not null")
    return bound_to(position, " and ".join(conditions) or "true")


def _small_split_values(
    scan: Scan, findings: Findings, rows_behind: Sequence[Mapping[str, int]]
) -> dict[int, list[str]]:
    """Return, for each measure that has small groups, the values of the split in which their rows lie."""
    small: dict[int, list[str]] = {}
    for position, rows in enumerate(rows_behind):
        values = [
            NOT_KNOWN if raw is None else str(raw)
            for raw in findings.split_values
            if any(0 < rows[group] < PERSONS_NOT_COUNTED_FROM for group in groups_of(raw, scan.by) if group != ALL)
        ]
        if values:
            small[position] = values
    return small


def _of_totals(scan: Scan, lowest: object, highest: object) -> Statement:
    """One row: people in the cohort, then people behind each measure's total."""
    people = "bitstring_agg(person_id, $lowest_person, $highest_person)"
    counts = [f"coalesce(bit_count({people}), 0)"]
    counts += [
        f"coalesce(bit_count({people} filter (where {_behind(scan, position)})), 0)"
        for position in range(len(scan.measures))
    ]
    columns = ",\n  ".join(counts)
    text = f"select {columns}\nfrom {scan.rows.text}"
    return _statement(scan, text, {"lowest_person": lowest, "highest_person": highest})


def _of_small_groups(scan: Scan, small: Mapping[int, Sequence[str]]) -> Statement:
    """Rows of `split, person, behind the denominator of each measure in small` that lie in a small group."""
    columns = ", ".join(f"({_behind(scan, position)}) as b{position}" for position in small)
    wanted = " or ".join(f"(b{position} and g in (select unnest($small_{position})))" for position in small)
    text = (
        f"select g, person_id, {', '.join(f'b{position}' for position in small)}\nfrom (\n"
        f"  select coalesce(cast({scan.split} as varchar), $not_known) as g, person_id, {columns}\n"
        f"  from {scan.rows.text}\n)\nwhere {wanted}"
    )
    values = {f"small_{position}": list(raws) for position, raws in small.items()}
    return _statement(scan, text, {**values, "not_known": NOT_KNOWN})


def _statement(scan: Scan, text: str, values: Mapping[str, object]) -> Statement:
    bound = Rows(scan.rows.text, {**scan.rows.parameters, **values})
    return Statement(text, parameters_in(text, dict(enumerate(scan.measures)), bound))


def _distinct(
    answer: Sequence[tuple[Any, ...]], small: Mapping[int, Sequence[str]], by: Stratifier
) -> dict[int, dict[str, set[object]]]:
    """Gather people by measure and group; someone with two therapies counts in both."""
    people: dict[int, dict[str, set[object]]] = {position: {} for position in small}
    for raw, person, *behind in answer:
        groups = [group for group in groups_of(None if raw == NOT_KNOWN else raw, by) if group != ALL]
        for position, is_behind in zip(small, behind, strict=True):
            if is_behind:
                for group in groups:
                    people[position].setdefault(group, set()).add(person)
    return people
