"""Totals from answers: every questionnaire whose answers are known is scored by its TOML, in SQL.

Only answers in their range get here. A missing answer is a row without a value, or no row at all. A total that stands
in scores.csv as well must be the same; where it is not, neither is believed (`refuse_contradictions`).
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from analytics.instruments import Instrument, Item, load_instruments
from analytics.intake.loading import load_rows
from analytics.intake.model import SCORE_ITEMS, SCORES, TableSpec
from analytics.intake.report import Rejection

# One questionnaire, or one domain of it, filled in on one day.
_FORM = "ix, instrument, assessed_on"


def settle_scores(connection: duckdb.DuckDBPyConnection, keep_again: Callable[[TableSpec], None]) -> Rejection | None:
    """Make `kept_all_scores` of `kept_scores` and `kept_score_items`; return the warning about missing answers.

    Parameters
    ----------
    keep_again : makes `kept_<file>` and its report anew from the staged rows, of which some were refused here.
    """
    missing, forms = score_items(connection)
    if refuse_contradictions(connection):
        for spec in (SCORES, SCORE_ITEMS):
            keep_again(spec)
        missing, forms = score_items(connection)
    join_scores(connection)
    words = f"{missing:,} of {forms:,} questionnaires without a total."
    return Rejection(None, "value", "ITEMS_MISSING", sentence=words) if missing else None


def score_items(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Make `item_score` from `kept_score_items`; return how many questionnaires have no total, and of how many.

    `item_score` has one row per episode (ix), instrument and day that has a total: total, item_9, prorated. The answer
    to item 9 is given as it is, NULL when it is missing. Each domain of a form counts as a questionnaire.
    """
    _make_facts(connection)
    connection.execute("drop table if exists item_score")
    # Half a point is rounded up; the billionth covers sums of thirds and sixths that binary leaves a hair below it.
    connection.execute(
        f"create table item_score as with {_ANSWERS}, {_SUMS}, {_LEVELS} "
        f"select {_FORM}, floor(points * factor + 0.5 + 1e-9) as total, item_9, answered < items as prorated from sums "
        "where whole_clusters = clusters and items - answered <= max_missing "
        f"union all select {_FORM}, level as total, null as item_9, false as prorated from levels "
        "where level >= could_be"
    )
    forms = connection.execute(
        f"select count(*) from (select distinct ix, f.instrument, assessed_on from kept_{SCORE_ITEMS.table} k "
        "join item_scoring f on f.questionnaire_id = k.instrument and f.item = k.item)"
    ).fetchone() or (0,)
    scored = connection.execute("select count(*) from item_score").fetchone() or (0,)
    return int(forms[0]) - int(scored[0]), int(forms[0])


def refuse_contradictions(connection: duckdb.DuckDBPyConnection) -> bool:
    """Mark new rows whose total and answers differ (ITEMS_CONTRADICT), in both files; return whether there are any.

    The total is that of `kept_scores`, the answers those of `item_score`; either may have been known before.
    """
    connection.execute(
        f"create or replace temp table contradicting as select {_FORM} from item_score i join kept_{SCORES.table} s "
        f"using ({_FORM}) where i.total <> s.total or i.item_9 <> s.item_9"
    )
    before = _refused(connection)
    connection.execute(
        f"update stage_{SCORES.table} set finding = 'total|ITEMS_CONTRADICT|' from contradicting c "
        f"where finding is null and {_same(SCORES.table, 'instrument')}"
    )
    connection.execute(
        f"update stage_{SCORE_ITEMS.table} set finding = 'value|ITEMS_CONTRADICT|' from contradicting c "
        "join item_scoring f using (instrument) where finding is null "
        f"and f.item = stage_{SCORE_ITEMS.table}.item and {_same(SCORE_ITEMS.table, 'questionnaire_id', 'f')}"
    )
    return _refused(connection) > before


def _same(table: str, instrument: str, owner: str = "c") -> str:
    stage = f"stage_{table}"
    return f"{stage}.ix = c.ix and {stage}.assessed_on = c.assessed_on and {stage}.instrument = {owner}.{instrument}"


def _refused(connection: duckdb.DuckDBPyConnection) -> int:
    counts = [
        connection.execute(f"select count(*) from stage_{table} where finding is not null").fetchone() or (0,)
        for table in (SCORES.table, SCORE_ITEMS.table)
    ]
    return sum(int(count[0]) for count in counts)


def join_scores(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `kept_all_scores`: the totals of `kept_scores` and those of `item_score`, each questionnaire once.

    `given_as` says what its source is: total, items, or both.
    """
    connection.execute(
        f"create table kept_all_scores as select {_FORM}, coalesce(s.total, i.total) as total, "
        "coalesce(s.item_9, i.item_9) as item_9, "
        "coalesce(s.prorated, false) or coalesce(i.prorated, false) as prorated, s.shared_with_person, s.plan_changed, "
        "case when i.total is null then 'total' when s.total is null then 'items' else 'both' end as given_as "
        f"from kept_{SCORES.table} s full join item_score i using ({_FORM})"
    )


# The answers that count, as points. `k` is the answer, `f` its item.
_ANSWERS = f"""answer as (
    select k.ix, f.instrument, k.assessed_on, f.item, f.cluster, k.value,
        case when f.is_reversed then f.low + f.high - k.value else k.value end as points
    from kept_{SCORE_ITEMS.table} k
    join item_scoring f on f.questionnaire_id = k.instrument and f.item = k.item
    where k.value is not null and f.scoring = 'sum'
)"""

# A missing answer is the mean of those of its cluster. `points` is the filled-up sum, before factor and rounding.
_SUMS = f"""cluster_sum as (
    select {_FORM}, cluster, sum(points) as points, count(*) as answered,
        max(value) filter (item = '9') as item_9
    from answer group by {_FORM}, cluster
),
sums as (
    select {_FORM}, sum(s.points * c.items / s.answered) as points, sum(s.answered) as answered,
        count(*) as whole_clusters, any_value(n.clusters) as clusters, any_value(n.items) as items,
        any_value(n.max_missing) as max_missing, any_value(n.factor) as factor,
        case when any_value(n.takes_item_9) then max(s.item_9)::integer end as item_9
    from cluster_sum s
    join item_cluster c using (instrument, cluster)
    join item_form n using (instrument)
    group by {_FORM}
)"""

# The highest level that was answered with yes, and the highest that a missing answer could still be. What is not asked
# after a no is a no.
_LEVELS = f"""asked as (
    select distinct k.ix, f.instrument, k.assessed_on
    from kept_{SCORE_ITEMS.table} k
    join item_scoring f on f.questionnaire_id = k.instrument and f.item = k.item
    where f.scoring = 'highest'
),
yes_no as (
    select a.ix, a.instrument, a.assessed_on, f.level, coalesce(k.value, case when g.value = 0 then 0 end) as value
    from asked a
    join item_scoring f using (instrument)
    left join kept_{SCORE_ITEMS.table} k on k.ix = a.ix and k.instrument = f.questionnaire_id
        and k.assessed_on = a.assessed_on and k.item = f.item
    left join kept_{SCORE_ITEMS.table} g on g.ix = a.ix and g.instrument = f.questionnaire_id
        and g.assessed_on = a.assessed_on and g.item = f.not_asked_after
),
levels as (
    select {_FORM}, coalesce(max(level) filter (value = 1), 0) as level,
        coalesce(max(level) filter (value is null), 0) as could_be
    from yes_no group by {_FORM}
)"""


def _make_facts(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the facts of the TOMLs as tables: `item_scoring` and `item_cluster` by item, `item_form` by instrument."""
    for table in ("item_scoring", "item_cluster", "item_form"):
        connection.execute(f"drop table if exists {table}")
    connection.execute(
        "create table item_scoring (instrument varchar, questionnaire_id varchar, item varchar, low double, "
        "high double, is_reversed boolean, cluster integer, level double, not_asked_after varchar, scoring varchar)"
    )
    connection.execute(
        "create table item_form (instrument varchar, items integer, clusters integer, max_missing integer, "
        "factor double, takes_item_9 boolean)"
    )
    rows, forms = [], []
    for instrument in load_instruments().values():
        if instrument.items is None or instrument.prorating is None:
            continue
        scored = instrument.items.scored
        rows += [_row(instrument, item, instrument.items.scoring) for item in scored]
        factor = instrument.scale.factor if instrument.scale else 1.0
        clusters = len({item.cluster for item in scored})
        missing = instrument.prorating.max_missing
        forms.append((instrument.id, len(scored), clusters, missing, factor, instrument.item_9))
    load_rows(connection, "item_scoring", rows)
    load_rows(connection, "item_form", forms)
    connection.execute(
        "create table item_cluster as select instrument, cluster, count(*) as items from item_scoring group by all"
    )


def _row(instrument: Instrument, item: Item, scoring: str) -> tuple[object, ...]:
    return (
        instrument.id,
        instrument.questionnaire,
        item.number,
        item.low,
        item.high,
        item.is_reversed,
        item.cluster,
        item.level,
        item.not_asked_after,
        scoring,
    )
