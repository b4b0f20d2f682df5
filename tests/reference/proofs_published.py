"""Proofs against published statistics: NHS Talking Therapies, from its counts through our measures of the English rule.

One line of counts becomes people: so many who finished, of them so many below the clinical range at the start, and
so on, with scores that put each person into exactly one of the published classes. The measures then have to find the
published percentages again, and so the denominators that lie behind them.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from analytics.measures import Stratifier, evaluate, find
from analytics.statistics.change import mean_change_from_sums
from tests.reference.proof import Pair, proof
from tests.reference.reference_results import expected, rows
from tests.spec.outcome_tables import SmallSnapshot, small_snapshot

# Their name to our measure; "no reliable change" is what is left of those measured twice.
MEASURES = {
    "recovery": "nhs_recovery",
    "reliable_recovery": "nhs_reliable_recovery",
    "improvement": "nhs_reliable_improvement",
    "deterioration": "nhs_reliable_deterioration",
}
AMONG_CASES = ("recovery", "reliable_recovery")
PUBLISHED = (*MEASURES, "no_reliable_change")
COUNTS = (*PUBLISHED, "finished_course_treatment", "not_at_caseness")
# PHQ-9 at the start and at the end (caseness 10, reliable change 6), GAD-7 (8 and 4). None = no score.
Scores = tuple[int | None, int | None, int | None, int | None]
CLASSES: dict[str, Scores] = {
    "recovered, clearly better": (20, 5, 15, 3),
    "recovered, not clearly": (12, 8, 9, 7),
    "clearly better, still a case": (27, 15, 10, 10),
    "clearly better, never a case": (9, 1, 5, 5),
    "no change, still a case": (16, 9, 5, 9),  # better by one, worse by the other
    "no change, never a case": (8, 8, 3, 3),
    "clearly worse": (12, 12, 6, 20),
    "clearly worse, never a case": (4, 20, 3, 3),
    "not measured": (20, 5, None, None),
}
DENOMINATORS = (
    "The denominator of recovery is everybody who finished less those known to have started below the clinical range; "
    "people without scores stay in, as not recovered. Over the published number at caseness, recovery "
    "would "
    "be 50.2 %, and 50.1 % was published."
)

Counts = dict[str, float]


def people(counts: Counts) -> dict[str, int]:
    """Return how many people of each class give the published counts."""
    number = {name: int(counts[name]) for name in COUNTS}
    below = number["not_at_caseness"]
    recovered_only = number["recovery"] - number["reliable_recovery"]
    unchanged = number["no_reliable_change"] - recovered_only
    better = number["improvement"] - number["reliable_recovery"]
    # Those below the clinical range at the start: first among the unchanged, then the better, then the worse.
    flat = min(below, max(unchanged, 0))
    up = min(below - flat, max(better, 0))
    down = below - flat - up
    unmeasured = number["finished_course_treatment"] - sum(
        number[name] for name in ("improvement", "deterioration", "no_reliable_change")
    )
    return {
        "recovered, clearly better": number["reliable_recovery"],
        "recovered, not clearly": recovered_only,
        "clearly better, still a case": better - up,
        "clearly better, never a case": up,
        "no change, still a case": unchanged - flat,
        "no change, never a case": flat,
        "clearly worse": number["deterioration"] - down,
        "clearly worse, never a case": down,
        "not measured": unmeasured,
    }


def possible(counts: Counts) -> bool:
    """Whether the counts, each of them rounded, can be people at all."""
    return all(name in counts for name in COUNTS) and min(people(counts).values()) >= 0


def clinic(lines: dict[str, Counts]) -> SmallSnapshot:
    """Return a snapshot in which each line of counts is a program, and every person came twice and left."""
    cells = [
        (name, *scores, count)
        for name, counts in lines.items()
        for scores, count in zip(CLASSES.values(), people(counts).values(), strict=True)
    ]
    columns = ("name", "d1", "d2", "a1", "a2", "size")
    snapshot = small_snapshot([])
    snapshot.connection.execute(f"create type line as enum ({', '.join(repr(each) for each in lines)})")
    snapshot.connection.execute(
        "create table person as select c.name::line as name, c.d1::tinyint as d1, c.d2::tinyint as d2, "
        "c.a1::tinyint as a1, c.a2::tinyint as a2 "
        f"from (select {', '.join(f'unnest(${each}) as {each}' for each in columns)}) as c, range(c.size)",
        dict(zip(columns, map(list, zip(*cells, strict=True)), strict=True)),
    )
    snapshot.connection.execute("drop table episode_outcome")
    # Only the columns that these measures read: millions of rows of all of them would take minutes.
    snapshot.connection.execute(
        "create view episode_outcome as select name as program_id, d1 as nhs_depression_first, "
        "d2 as nhs_depression_last, a1 as nhs_anxiety_first, a2 as nhs_anxiety_last, "
        "true as uses_nhs_pair, true as is_closed, 'completed' as exit, 20 as attended_days from person"
    )
    return snapshot


@dataclass(frozen=True)
class Share:
    """What our measure says of one line: how many, of how many."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> float:
        return 100 * self.numerator / self.denominator


def percentages(lines: dict[str, Counts]) -> dict[str, dict[str, Share]]:
    """Return what our measures say of each line, by the published name."""
    measures = [find(name) for name in MEASURES.values()]
    results = evaluate(measures, clinic(lines), by=Stratifier.PROGRAM, persons=False)
    found = {
        name: {line: Share(each.numerator, each.denominator) for line, each in result.estimates.items()}
        for name, result in zip(MEASURES, results, strict=True)
    }
    better, worse = (result.estimates for result in results[2:])
    found["no_reliable_change"] = {
        line: Share(each.known - each.numerator - worse[line].numerator, each.denominator)
        for line, each in better.items()
    }
    return found


def figure(shared: Path, file: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    with (shared / "real" / "nhs_tt" / file).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["value"] not in ("", "*", "NULL"):
                name = " ".join(row[key] for key in ("reporting_period", "org_code", "variable_a", "variable_b"))
                yield name, row["measure_name"], row


def published(shared: Path, file: str, org_type: str) -> tuple[dict[str, Counts], dict[str, Counts]]:
    """Return counts, and percentages, by line and by name."""
    counts: dict[str, Counts] = {}
    shares: dict[str, Counts] = {}
    for line, name, row in figure(shared, file):
        if row["org_type"] == org_type:
            kept = counts if row["measure_statistic"] == "count" else shares
            kept.setdefault(line, {})[name] = float(row["value"])
    return counts, shares


@proof(
    "nhstt_published_rates_2023_24", "England, five percentages of 2023-24 from exact counts", 0.05, note=DENOMINATORS
)
def england(shared: Path) -> Iterator[Pair]:
    (row,) = (row for row in rows(shared, "nhstt_published_rates_2023_24") if row["org_type"] == "England")
    theirs = expected(shared, "nhstt_published_rates_2023_24")["published"][0]
    for name, result in percentages({"England": {key: float(row[key]) for key in COUNTS}}).items():
        yield f"{name}, percent", result["England"].percent, theirs[name]


def over_the_years(shared: Path, every: bool = False) -> Iterator[Pair]:
    """Totals of seven years, and 2023-24 by age and gender; with `every`, age and gender of all years too."""
    counts, theirs = published(shared, "key_measures_england_2017_24.csv", "England")
    lines = {
        line: each for line, each in counts.items() if every or line.startswith("2023-24") or line.endswith("NULL NULL")
    }
    for name, result in percentages(lines).items():
        for line in lines:
            yield f"{name}, {line}", result[line].percent, theirs[line][name]


@proof("nhstt_published_rates_2023_24", "England 2017 to 2024, and 2023-24 by age and gender, from exact counts", 0.05)
def england_over_the_years(shared: Path) -> Iterator[Pair]:
    yield from over_the_years(shared)


@proof(
    "nhstt_published_rates_2023_24",
    "141 providers of 2023-24, from counts rounded to 5",
    0.5,
    note="Compared is the percentage nearest to the published one that the rounded counts allow, since each may be "
    "off by "
    "2.5. Providers with a suppressed count are left out.",
)
def providers(shared: Path) -> Iterator[Pair]:
    table = [row for row in rows(shared, "nhstt_published_rates_2023_24") if row["org_type"] == "Provider"]
    lines = {row["org_code"]: {name: float(row[name]) for name in COUNTS} for row in table if all(map(row.get, COUNTS))}
    theirs = {row["org_code"]: row for row in expected(shared, "nhstt_published_rates_2023_24")["published"]}
    for name, result in percentages(lines).items():
        roundings = 2 if name in AMONG_CASES else 1  # finished, and who of them was never a case
        for line in lines:
            share = result[line]
            low = (share.numerator - 2.5) / (share.denominator + 2.5 * roundings)
            high = (share.numerator + 2.5) / (share.denominator - 2.5 * roundings)
            yield f"{name}, {line}, nearest", nearest(theirs[line][name], 100 * low, 100 * high), theirs[line][name]


def nearest(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


WHICH = ("measure_name", "problem", "therapy_type")
PEOPLE = 1_000  # any number: the effect size divides a mean by an SD


@proof(
    "nhstt_effect_sizes_2023_24",
    "Effect sizes by problem and therapy: mean change over the SD at the start",
    0.05,
    note="This is our d_pre. Means and SDs are published with one decimal; compared is the effect size nearest to the "
    "published one that they allow. Dividing by an average of the two SDs fits 64 % of them.",
)
def effect_sizes(shared: Path) -> Iterator[Pair]:
    for row in rows(shared, "nhstt_effect_sizes_2023_24"):
        first, last, sd = float(row["mean_start"]), float(row["mean_end"]), float(row["sd_start"])
        low, high = d_pre(first - 0.05, last + 0.05, sd, 0.05), d_pre(first + 0.05, last - 0.05, sd, -0.05)
        theirs, name = float(row["effect_size_published"]), ", ".join(row[key] for key in WHICH)
        yield f"{name}, nearest", nearest(theirs, low, high), theirs


def d_pre(first: float, last: float, sd: float, rounding: float) -> float:
    """Return our effect size for these means and SD; `rounding` moves the SD away from the published one."""
    sd += rounding if first > last else -rounding
    if sd <= 0:
        return inf if first > last else -inf
    squares = (PEOPLE - 1) * sd**2
    found = mean_change_from_sums(
        PEOPLE,
        sum_first=PEOPLE * first,
        sum_last=PEOPLE * last,
        sum_first_sq=squares + PEOPLE * first**2,
        sum_last_sq=squares + PEOPLE * last**2,
        sum_product=PEOPLE * first * last,
    )
    return found.d_pre
