"""Distinct people behind a denominator: for the total, and for the groups small enough to matter.

Counting people costs several times the measure itself (a hash of every person), so it is one statement for
the totals of all measures, and one more that fetches the rows of small groups only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.measures.cohort_sql import Rows
from analytics.measures.groups import groups_of
from analytics.measures.ladder_sql import VALUE, Statement, code_columns, parameters_in
from analytics.measures.scan import Findings, Scan
from analytics.measures.tally import Tally
from analytics.measures.types import ALL, NOT_KNOWN, Estimator, Measure, SnapshotCursor, Stratifier

# Nobody has more than a handful of episodes: from here on a group cannot be fewer than 11 people.
SMALL_GROUP: Final = 200

# One bit per measure in a 64-bit integer.
MOST_MEASURES: Final = 60


@dataclass(frozen=True)
class Persons:
    """People in the cohort, and people behind the denominators: by position of the measure, then by group.

    A group that is missing was not asked for: it has `SMALL_GROUP` episodes or more, or none at all.
    """

    in_cohort: int
    behind: tuple[dict[str, int], ...]


def count_persons(scan: Scan, findings: Findings, snapshot: SnapshotCursor) -> Persons:
    """Count the people of one scan."""
    lowest = [_lowest_code(measure, findings.own(n)[ALL]) for n, measure in enumerate(scan.measures)]
    rows_behind = [_rows_behind(findings.own(n), low) for n, low in enumerate(lowest)]
    if scan.unit == "person":
        # Every row is another person.
        return Persons(findings.own(0)[ALL].total, tuple(rows_behind))
    codes = [column.text for column in code_columns(scan.measures, scan.matured) if column.kind == VALUE]
    total = _of_totals(scan, codes, lowest)
    ((in_cohort, *everybody),) = snapshot.query(total.text, total.parameters)
    behind = [{ALL: int(str(count))} for count in everybody]
    small = _small_split_values(scan, findings, rows_behind)
    if scan.by is not None and small:
        fetch = _of_small_groups(scan, codes, lowest, small)
        people = _distinct(snapshot.query(fetch.text, fetch.parameters), lowest, small, scan.by)
        for position, by_group in people.items():
            for group, members in by_group.items():
                if rows_behind[position][group] < SMALL_GROUP:
                    behind[position][group] = len(members)
    return Persons(int(str(in_cohort)), tuple(behind))


def _lowest_code(measure: Measure, tally: Tally) -> int:
    """Return the code from which a row belongs to the measure's denominator."""
    if measure.estimator is not Estimator.PROPORTION:
        return len(tally.steps) + 2
    return len(tally.steps) + (1 if measure.missing == "shown" else 0)


def _rows_behind(tallies: Mapping[str, Tally], lowest: int) -> dict[str, int]:
    return {
        group: sum(count for code, count in tally.counts.items() if code >= lowest)
        for group, tally in tallies.items()
    }


def _small_split_values(
    scan: Scan, findings: Findings, rows_behind: Sequence[Mapping[str, int]]
) -> dict[int, list[str]]:
    """Return, for each measure that has small groups, the values of the split in which their rows lie."""
    small: dict[int, list[str]] = {}
    for position, rows in enumerate(rows_behind):
        values = [
            NOT_KNOWN if raw is None else str(raw)
            for raw in findings.split_values
            if any(0 < rows[group] < SMALL_GROUP for group in groups_of(raw, scan.by) if group != ALL)
        ]
        if values:
            small[position] = values
    return small


def _of_totals(scan: Scan, codes: Sequence[str], lowest: Sequence[int]) -> Statement:
    """One row: people in the cohort, then people behind each measure's total."""
    bits = " | ".join(
        f"case when {code} >= {low} then cast({1 << number} as bigint) else 0 end"
        for number, (code, low) in enumerate(zip(codes, lowest, strict=True))
    )
    counts = ", ".join(
        f"count(*) filter (where behind & cast({1 << number} as bigint) <> 0)" for number in range(len(codes))
    )
    text = (
        f"select count(*), {counts}\nfrom (\n  select person_id, bit_or({bits}) as behind\n"
        f"  from {scan.rows.text}\n  group by person_id\n)"
    )
    return Statement(text, parameters_in(text, dict(enumerate(scan.measures)), scan.rows))


def _of_small_groups(
    scan: Scan, codes: Sequence[str], lowest: Sequence[int], small: Mapping[int, Sequence[str]]
) -> Statement:
    """Rows of `split, person, code of each measure in small` that belong to a small group's denominator."""
    columns = ", ".join(f"{codes[position]} as c{position}" for position in small)
    wanted = " or ".join(
        f"(c{position} >= {lowest[position]} and g in (select unnest($small_{position})))"
        for position in small
    )
    text = (
        f"select g, person_id, {', '.join(f'c{position}' for position in small)}\nfrom (\n"
        f"  select coalesce(cast({scan.split} as varchar), $not_known) as g, person_id, {columns}\n"
        f"  from {scan.rows.text}\n)\nwhere {wanted}"
    )
    values = {f"small_{position}": list(raws) for position, raws in small.items()}
    bound = Rows(scan.rows.text, {**scan.rows.parameters, **values, "not_known": NOT_KNOWN})
    return Statement(text, parameters_in(text, dict(enumerate(scan.measures)), bound))


def _distinct(
    answer: Sequence[Sequence[object]],
    lowest: Sequence[int],
    small: Mapping[int, Sequence[str]],
    by: Stratifier,
) -> dict[int, dict[str, set[object]]]:
    """Gather people by measure and group; someone with two therapies counts in both."""
    people: dict[int, dict[str, set[object]]] = {position: {} for position in small}
    for raw, person, *codes in answer:
        groups = [group for group in groups_of(None if raw == NOT_KNOWN else raw, by) if group != ALL]
        for position, code in zip(small, codes, strict=True):
            if int(str(code)) >= lowest[position]:
                for group in groups:
                    people[position].setdefault(group, set()).add(person)
    return people
