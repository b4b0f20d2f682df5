"""Referrals: which stay each led to, which repeat an earlier one, and what may be stored of it.

A referral may be of a person who was never admitted, or of nobody named. The stay that it led to is the one that the
file names, else the next admission of that person within `LINK_DAYS`. Days are stored only together with such a stay,
a calendar label only of people who were never admitted: the two together would give an admission date back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

import duckdb

from analytics.intake.deidentify import Key, Pseudonyms
from analytics.intake.forgotten import RULE
from analytics.intake.merge import KNOWN, knows
from analytics.intake.relative import PrivacyMode, period_label

# Several referrals before one admission: those not more than 60 days before it belong to it (measures.md 4 A).
LINK_DAYS: Final = 60
# A person who asks again within 30 days asks once (measures.md 4 A, admission_conversion).
REPEAT_DAYS: Final = 30
# Observed time is kept in whole steps and no longer than the measures look ahead: data cut minus it is no date.
OBSERVED_STEP: Final = 30
OBSERVED_AFTER_REFERRAL: Final = 90


def mark_links(connection: duckdb.DuckDBPyConnection, key: Key) -> None:
    """Look up the stay that a staged referral names; mark FK_MISSING, INCONSISTENT (person) and DATE_ORDER.

    Referrals of people who are left out by request are set aside like their other rows.

    Adds `referral_key`, `person_key` (that of the stay when the file names nobody) and `given_ix`, the stay.
    """
    also = f"union all select ix, person_key from {KNOWN}" if knows(connection, "episode") else ""
    connection.execute(
        "create table linked_referrals as select s.* replace (case "
        "when own_key in (select person_key from forgotten) or s.episode_id in (select raw from forgotten_episode) "
        f"then 'person_id|{RULE}|' when finding is not null then finding "
        "when s.episode_id is null then null when e.ix is null then 'episode_id|FK_MISSING|' "
        "when own_key <> e.person_key then 'person_id|INCONSISTENT|' "
        "when received_on > e.first_day then 'received_on|DATE_ORDER|' end as finding), "
        "coalesce(own_key, e.person_key) as person_key, e.ix as given_ix from ("
        f"select *, {Pseudonyms.sql('referral', 'referral_id')} as referral_key, "
        f"{Pseudonyms.sql('person', 'person_id')} as own_key from stage_referrals) s left join ("
        "select raw, ix, first_day, person_key from parent_episode join ("
        f"select ix, person_key from stage_episodes where finding is null {also}) using (ix)) e "
        "on e.raw = s.episode_id",
        Pseudonyms(key).parameters,
    )
    connection.execute("drop table stage_referrals")
    connection.execute("alter table linked_referrals drop column own_key")
    connection.execute("alter table linked_referrals rename to stage_referrals")
    connection.execute(
        "insert into orphan_referrals by name select record, episode_id as raw from stage_referrals "
        "where finding = 'episode_id|FK_MISSING|'"
    )


def keep_referrals(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `all_referrals`: the accepted rows, and the known ones that the batch does not correct.

    A known one whose stay now begins before it is left behind: the source has to give it again.
    """
    connection.execute(
        "create table all_referrals as select referral_key, person_key, given_ix, received_on, source, decision "
        "from stage_referrals where finding is null"
    )
    if knows(connection, "referral"):
        connection.execute(
            "insert into all_referrals select k.referral_key, k.person_key, e.ix, received_on, source, decision "
            "from known_referral k left join moved m on k.episode_given and m.state_id = k.episode_id "
            "left join all_episodes e on e.ix = m.ix where received_on <= coalesce(e.admit_date, received_on) "
            "and referral_key not in (select referral_key from stage_referrals where finding is null)"
        )


def write_referrals(
    connection: duckdb.DuckDBPyConnection,
    copy: Callable[[str, str], None],
    mode: PrivacyMode,
    cut_day: int,
    study_days: bool,
) -> None:
    """Write table `referral` of the state from `all_referrals`, once persons and episodes have their numbers.

    People who were never admitted get numbers after all others, in the order of their pseudonyms.
    """
    connection.execute(
        "create table repeated_referral as select unnest($keys::varchar[]) as referral_key",
        {"keys": list(_repeats(connection))},
    )
    connection.execute(
        "create table linked_referral as select r.*, coalesce(g.episode_id, n.episode_id) as episode_id "
        "from all_referrals r left join dense g on g.ix = r.given_ix left join ("
        # Episodes are numbered by person and day of admission, so the lowest number is the next admission.
        "select referral_key, min(episode_id) as episode_id from all_referrals r join dense e using (person_key) "
        f"where given_ix is null and admit_date between received_on and received_on + {LINK_DAYS} group by 1"
        ") n using (referral_key)"
    )
    connection.execute(
        "create table asking_person as select person_key, person_id, observed_until, true as was_admitted "
        "from dense_person join (select person_key, max(observed_until) as observed_until from dense group by 1) "
        "using (person_key) union all select person_key, (row_number() over (order by person_key) + "
        "(select coalesce(max(person_id), 0) from dense_person))::integer, null, false "
        "from (select distinct person_key from all_referrals where person_key is not null) "
        "anti join dense_person using (person_key)"
    )
    period = "null::varchar" if study_days else period_label("received_on", mode)
    observed = f"{'p.observed_until' if study_days else cut_day} - received_on"
    copy(
        "referral",
        "select (row_number() over (order by r.referral_key))::integer as referral_id, p.person_id, r.episode_id, "
        "given_ix is not null as episode_given, r.source, decision, "
        f"case when not coalesce(was_admitted, false) then {period} end as referral_period, "
        "admit_date - received_on as days_to_admission, r.referral_key in (from repeated_referral) as is_repeat, "
        f"case when {observed} is not null then "
        f"greatest(0, least({observed}, {OBSERVED_AFTER_REFERRAL})) // {OBSERVED_STEP} * {OBSERVED_STEP} end "
        "as observed_days, r.referral_key, r.person_key from linked_referral r "
        "left join asking_person p using (person_key) left join dense e on e.episode_id = r.episode_id "
        "order by referral_id",
    )


def _repeats(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield the keys of referrals within `REPEAT_DAYS` after one of the same person that is itself no repeat."""
    rows = connection.execute(
        "select person_key, received_on, referral_key from all_referrals where person_key in ("
        "select person_key from (select person_key, received_on - lag(received_on) over "
        "(partition by person_key order by received_on) as gap from all_referrals where person_key is not null) "
        f"where gap <= {REPEAT_DAYS}) order by all"
    ).fetchall()
    for _, group in groupby(rows, key=lambda row: row[0]):
        counted = None
        for _, received, key in group:
            if counted is None or received > counted + REPEAT_DAYS:
                counted = received
            else:
                yield key
