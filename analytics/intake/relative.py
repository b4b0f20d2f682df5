"""From staged rows to row tables: dense numbers instead of ids, whole days from admission instead of dates.

The result is a folder of Parquet files, one per row table of `analytics/store/schema.sql`: the *state* after a batch.
A state is complete, so any snapshot can be rebuilt from its own folder alone. Only `episode.parquet` also carries the
pseudonyms, which the snapshot itself does not need.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import duckdb

from analytics.instruments import load_instruments
from analytics.intake.loading import load_rows
from analytics.intake.model import EPISODE_FACTS

PrivacyMode = Literal["limited", "expert", "safe_harbor", "synthetic"]
CALENDAR_MODES: Final = ("limited", "synthetic")

# Longer than every window (12-month follow-up + 60 days): `data cut - observed_days` of a closed episode must not
# give its admission date back.
OBSERVED_AFTER_DISCHARGE: Final = 455

# A program uses an instrument when at least one in twenty of its episodes has a score: one stray row must not
# turn everybody else into "not measured".
USES_INSTRUMENT_SHARE: Final = 0.05

_CALENDAR_FACTS: Final = ("admit_date", "discharge_date", "referral_date", "observed_until")


def period_label(day: str, mode: PrivacyMode) -> str:
    """Return SQL for the calendar label of a day number, at the grain of the privacy mode."""
    calendar = f"(date '2000-01-01' + {day})"
    if mode in CALENDAR_MODES:
        return f"strftime({calendar}, '%Y-%m')"
    if mode == "expert":
        return f"(year({calendar}) || '-Q' || quarter({calendar}))"
    return f"(year({calendar})::varchar)"


def label_of_cut(connection: duckdb.DuckDBPyConnection, cut_day: int, mode: PrivacyMode) -> str:
    """Return the data cut as it may be printed: the day in limited and synthetic mode, else the label."""
    text = "strftime(date '2000-01-01' + $day, '%Y-%m-%d')" if mode in CALENDAR_MODES else period_label("$day", mode)
    (label,) = connection.execute(f"select {text}", {"day": cut_day}).fetchone() or ("",)
    return str(label)


def used_instruments(scores: str, episodes: str, key: str) -> str:
    """Return SQL for which instruments each program uses. `key` joins scores to their episodes."""
    return (
        f"select program_id, instrument from (select program_id, instrument, count(distinct {key}) as measured "
        f"from {scores} join {episodes} using ({key}) group by all) join "
        f"(select program_id, count(*) as episodes from {episodes} group by 1) using (program_id) "
        f"where measured >= {USES_INSTRUMENT_SHARE} * episodes order by all"
    )


class StateWriter:
    """Writes the state of one import. Tables `all_episodes` and `kept_<file>` must exist in the connection."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        mode: PrivacyMode,
        cut_day: int,
        study_days: bool,
    ) -> None:
        """Number persons and episodes: contiguous, ordered by pseudonym, so that order says nothing."""
        self._connection = connection
        self._folder = folder
        self._mode = mode
        self._cut_day = cut_day
        self._study_days = study_days
        connection.execute(
            "create table dense_person as select row_number() over (order by person_key)::integer as person_id, "
            "person_key, min(admit_date) as first_admit, "
            f"max(coalesce(discharge_date + {OBSERVED_AFTER_DISCHARGE}, 1000000)) as last_observed "
            "from all_episodes group by person_key"
        )
        connection.execute(
            "create table dense as select row_number() over (order by person_id, admit_date, episode_key)::integer "
            "as episode_id, person_id, first_admit, e.* "
            "from all_episodes e join dense_person using (person_key)"
        )

    def copy(self, table: str, query: str) -> None:
        """Write the answer of a query as a table of the state."""
        path = str(self._folder / f"{table}.parquet").replace("'", "''")
        self._connection.execute(f"copy ({query}) to '{path}' (format parquet, compression zstd)")

    def write(self, collected: dict[str, bool]) -> None:
        """Write every table; `collected` says which canonical files the source has, also when they are empty."""
        self._episodes()
        self._attendance()
        self._scores()
        self._substance_use()
        self._followups()
        self._person_events()
        self._calendar()
        self.copy("collected", "select " + ", ".join(f"{value} as {name}" for name, value in collected.items()))

    def _episodes(self) -> None:
        dated = not self._study_days
        period = period_label("admit_date", self._mode) if dated else "null::varchar"
        discharge_period = (
            period_label("discharge_date", self._mode) if dated and self._mode in CALENDAR_MODES else "null::varchar"
        )
        observed = f"{self._cut_day} - admit_date" if dated else "observed_until - admit_date"
        names = [name for name in EPISODE_FACTS if name not in _CALENDAR_FACTS]
        self.copy(
            "episode",
            f"select episode_id, person_id, {', '.join(names)}, {period} as admit_period, "
            f"{discharge_period} as discharge_period, admit_date - first_admit as start_day, "
            "discharge_date - admit_date as los_days, "
            f"least({observed}, coalesce(discharge_date - admit_date + {OBSERVED_AFTER_DISCHARGE}, 1000000)) "
            "as observed_days, admit_date - referral_date as wait_days, episode_key, person_key "
            "from dense order by episode_id",
        )
        self.copy("program", "select program_id, count(*)::integer as episodes from dense group by 1 order by 1")

    def _attendance(self) -> None:
        self.copy(
            "attendance",
            "select episode_id, session_date - admit_date as day, session_type, session_no, status, minutes, "
            "delivery, scheduled_minutes, cancel_notice_hours from kept_attendance s join dense using (ix) "
            "order by episode_id, day, session_type, session_no",
        )

    def _scores(self) -> None:
        self.copy(
            "score",
            "select episode_id, instrument, assessed_on - admit_date as day, total, item_9, "
            "coalesce(prorated, false) as is_prorated, shared_with_person, plan_changed, given_as "
            "from kept_all_scores s join dense using (ix) order by episode_id, instrument, day",
        )
        self.copy(
            "program_instrument",
            used_instruments("kept_all_scores", "dense", "ix"),
        )
        self.copy(
            "score_item",
            "select episode_id, instrument, assessed_on - admit_date as day, item, value "
            "from kept_score_items s join dense using (ix) order by episode_id, instrument, day, item",
        )
        rows = [
            (item.id, item.direction, name, order, float(low), float(high), item.every_days)
            for item in load_instruments().values()
            for order, (name, low, high) in enumerate(item.bands, start=1)
        ]
        self._connection.execute(
            "create table instrument_band (instrument varchar, direction integer, band varchar, band_order integer, "
            "band_low double, band_high double, every_days integer)"
        )
        load_rows(self._connection, "instrument_band", rows)
        self.copy("instrument", "select * from instrument_band order by instrument, band_order")

    def _substance_use(self) -> None:
        self.copy(
            "substance_use",
            "select episode_id, observed_on - admit_date as day, source, substance, result, "
            " scheduled, days_used_past_30, controlled_environment from kept_substance_use s "
            "join dense using (ix) order by episode_id, day, source, substance",
        )

    def _followups(self) -> None:
        self.copy(
            "followup",
            "select episode_id, due_day, attempted_on - discharge_date as attempted_day, "
            "completed_on - discharge_date as completed_day, reached, outcome, days_abstinent_past_30, "
            "any_use_since_discharge, employed, stable_housing, arrested, rehospitalised, controlled_environment, "
            "recovery_meetings from kept_followups s join dense using (ix) order by episode_id, due_day",
        )

    def _person_events(self) -> None:
        self.copy(
            "acute_event",
            "select person_id, admit_date - first_admit as start_day, discharge_date - first_admit as end_day, "
            "level_of_care, planned from kept_readmissions s join person_ix using (ix) "
            "join dense_person using (person_key) order by person_id, start_day, level_of_care",
        )
        # A source sees everybody from one day on and up to the data cut. Like `observed_days`, a window ends when
        # those of all measures are over, and it begins with the first admission: else it would give that day back.
        self.copy(
            "capture",
            'select person_id, source, greatest("from", first_admit) - first_admit as from_day, '
            f'max(least("to", {self._cut_day}, last_observed)) - first_admit as to_day '
            "from kept_capture s join person_ix using (ix) join dense_person using (person_key) "
            f'where "from" <= least({self._cut_day}, last_observed) and "to" >= first_admit '
            "group by person_id, first_admit, source, from_day order by person_id, source, from_day",
        )

    def _calendar(self) -> None:
        allowed = self._mode in CALENDAR_MODES and not self._study_days
        self.copy(
            "attendance_calendar",
            "select program_id, site, modality, level_of_care, session_type, status, "
            "isodow(date '2000-01-01' + session_date)::integer as weekday, "
            f"{period_label('session_date', self._mode)} as period, count(*)::integer as sessions "
            f"from kept_attendance s join dense using (ix) where {allowed} group by all order by all",
        )
