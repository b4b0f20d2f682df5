"""Proofs of measures from rows on: use week by week (CTNote on CTN-0027), readmission with transfers."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from analytics.measures import ALL, evaluate, find
from analytics.measures.use_patterns import (
    FIRST_POSITIVE,
    FOUR_MISSING,
    FOUR_POSITIVE,
    LONGEST_ABSTINENCE,
    NEGATIVE_LAST_FOUR,
    NEGATIVE_WEEKS,
    THREE_POSITIVE,
    WEEKS,
    complete_abstinence,
)
from analytics.statistics.survival import kaplan_meier_by_group, log_rank
from analytics.store.outcomes import build_outcomes
from tests.reference.proof import Pair, proof
from tests.reference.proofs_survival import of_point, of_test
from tests.reference.reference_results import expected, rows
from tests.spec.outcome_tables import SmallSnapshot
from tests.spec.row_tables import row_tables

# CTNote's implementation of Krupitsky's weeks 5 to 24 ends with week 15.
ENDPOINTS = {
    "percent negative, missing as positive": (f"{NEGATIVE_WEEKS} / {WEEKS}", "prop_negative"),
    "longest abstinence": (LONGEST_ABSTINENCE, "Ab_schottenfeldB_2008"),
    "complete abstinence": (complete_abstinence(5, 15), "Ab_krupitskyA_2011"),
    "negative in the last four weeks": (NEGATIVE_LAST_FOUR, "Ab_ctnThirty_2011"),
    "week of the first positive": (FIRST_POSITIVE.week, "AbT_schottenfeldA_2008"),
    "first positive came": (FIRST_POSITIVE.happened, "AbE_schottenfeldA_2008"),
    "week of three positives": (THREE_POSITIVE.week, "RsT_schottenfeld_2008"),
    "three positives came": (THREE_POSITIVE.happened, "RsE_schottenfeld_2008"),
    "week of four positives": (FOUR_POSITIVE.week, "RsT_ctnNinetyFour_2023"),
    "four positives came": (FOUR_POSITIVE.happened, "RsE_ctnNinetyFour_2023"),
    "week of four missing": (FOUR_MISSING.week, "DrT_ctnNinetyFour_2023"),
    "four missing came": (FOUR_MISSING.happened, "DrE_ctnNinetyFour_2023"),
    "negative weeks": (NEGATIVE_WEEKS, "n_negative"),
}


def weekly(shared: Path) -> duckdb.DuckDBPyConnection:
    """A table of people and what their tests said week by week."""
    connection = duckdb.connect()
    connection.execute("create table weekly (who varchar, use_pattern varchar)")
    people, patterns = ([row[name] for row in rows(shared, "abstinence_ctn0027")] for name in ("who", "use_pattern"))
    connection.execute("insert into weekly select unnest($who), unnest($use)", {"who": people, "use": patterns})
    return connection


@proof(
    "abstinence_ctn0027",
    "Eight endpoints over weekly tests, for each of 1,269 people",
    1e-12,
    note="Weeks without a scheduled test are skipped; CTNote's weeks 5 to 24 end with week 15, and so does this "
    "comparison. Other definitions are listed as not offered.",
)
def endpoints(shared: Path) -> Iterator[Pair]:
    theirs = {str(row["who"]): row for row in expected(shared, "abstinence_ctn0027")}
    connection = weekly(shared)
    for name, (text, column) in ENDPOINTS.items():
        ours = dict(connection.execute(f"select who, {text} from weekly").fetchall())
        yield f"{name}, mean", sum(ours.values()) / len(ours), sum(row[column] for row in theirs.values()) / len(theirs)
        yield name, [ours[who] for who in theirs], [row[column] for row in theirs.values()]


@proof("km_ctn0027_retention", "Curves and log-rank by arm, from the weekly tests alone")
def curves_from_patterns(shared: Path) -> Iterator[Pair]:
    arms = {row["who"]: row["treatment"] for row in rows(shared, "km_ctn0027_retention")}
    connection = weekly(shared)
    for endpoint, name in ((FOUR_MISSING, "dropout"), (FOUR_POSITIVE, "relapse")):
        theirs = expected(shared, "km_ctn0027_retention")[name]
        found = connection.execute(f"select who, {endpoint.week}, {endpoint.happened} from weekly").fetchall()
        who, week, came = zip(*found, strict=True)
        arm = [arms[each] for each in who]
        yield from of_test(log_rank(week, came, arm), theirs["logrank"])
        curves = kaplan_meier_by_group(arm, week, came)
        for point in theirs.get("curve", []):  # of the dropout only: R was not asked for the other curve
            yield from of_point(curves[point["strata"].removeprefix("treatment=")].at(point["time"]), point)


FAR = 10_000  # days: everybody is watched long enough


@proof(
    "readmission_30d_rules",
    "Readmission within 30 days, stay by stay",
    note="Theirs merges stays that touch; ours merges nothing, so it starts from the merged stays. A stay on day 0 "
    "is a "
    "direct transfer in both; a stay on day 1 counts unless the person was transferred to higher care.",
)
def readmissions(shared: Path) -> Iterator[Pair]:
    for name in ("gap0_nofu", "gap0_endfu", "gap1_nofu"):
        theirs = expected(shared, "readmission_30d_rules")[name]
        snapshot, stays = hospital(theirs)
        (result,) = evaluate([find("readmission_30d")], snapshot)
        estimate = result.estimates[ALL]
        yield f"share, {name}", estimate.value, theirs["rate"]
        yield "counts", (estimate.numerator, estimate.denominator), (theirs["n_readmitted"], theirs["n_index"])
        found = snapshot.query(
            "select coalesce(readmission_day between 1 and 30, false) from episode_outcome order by episode_id", {}
        )
        index = [number for number, stay in enumerate(stays) if stay["eligible_index"]]
        yield "stay", [int(found[number][0]) for number in index], [stays[number]["readmitted"] for number in index]


def hospital(theirs: Any) -> tuple[SmallSnapshot, list[Any]]:
    """Every stay as an episode, and every stay but a person's first as what may come after one."""
    stays = theirs["stays"]
    people = sorted({stay["patient"] for stay in stays})
    first = {who: min(date.fromisoformat(s["admit"]) for s in stays if s["patient"] == who) for who in people}
    end = theirs["rule"]["end_follow_up"]
    episodes, events = [], []
    for stay in stays:
        admitted, left = date.fromisoformat(stay["admit"]), date.fromisoformat(stay["discharge"])
        start = (admitted - first[stay["patient"]]).days
        who = people.index(stay["patient"]) + 1
        episodes.append(
            {
                "person_id": who,
                "start_day": start,
                "los_days": (left - admitted).days,
                "observed_days": FAR if end is None else (date.fromisoformat(end) - admitted).days,
                "discharge_reason": "deceased" if stay["died"] else "completed",
            }
        )
        if stay["stay"] > 1:
            events.append({"person_id": who, "start_day": start, "end_day": start + (left - admitted).days})
    connection = row_tables(episode=episodes, acute_event=events)
    build_outcomes(connection)
    return SmallSnapshot(connection), stays
