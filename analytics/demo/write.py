"""From columns of numbers to CSV files in the canonical form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from analytics.demo.access import DECISIONS, FIRST_MONTH, FIRST_QUARTER, MONTHS, QUARTERS, RESPONDENTS
from analytics.demo.aftercare import CAPTURE_SOURCES, OUTCOMES
from analytics.demo.columns import MISSING, Ints, Rows
from analytics.demo.people import (
    AGE_BANDS,
    CONDITIONS,
    DESTINATIONS,
    GENDERS,
    PAYERS,
    REFERRAL_SOURCES,
)
from analytics.demo.plan import (
    INSTRUMENTS,
    LEVELS,
    MODALITIES,
    POPULATIONS,
    PROGRAMS,
    REASONS,
    SESSION_TYPES,
    SITES,
    STATUSES,
    THERAPIES,
    TRACKS,
)
from analytics.demo.substance_use import RESULTS, SOURCES, SUBSTANCES

# Turns a column of whole numbers into the Arrow array that is printed.
Encoder = Callable[[Ints], pa.Array]


def _number(column: Ints) -> pa.Array:
    return pa.array(column, mask=column == MISSING)


def _tenths(column: Ints) -> pa.Array:
    return pa.array(column / 10, mask=column == MISSING)


def _date(column: Ints) -> pa.Array:
    return pa.array(column.astype("int32"), type=pa.int32(), mask=column == MISSING).cast(pa.date32())


def _flag(column: Ints) -> pa.Array:
    return pa.array(column == 1, mask=column == MISSING)


def _words(words: pa.Array | tuple[str, ...]) -> Encoder:
    names = pa.array(words)

    def encode(column: Ints) -> pa.Array:
        codes = pa.array(column.astype("int32"), mask=column == MISSING)
        return pa.DictionaryArray.from_arrays(codes, names)

    return encode


def numbered(letter: str, count: int) -> Encoder:
    """Return an encoder of identifiers: a letter and seven or more digits, `E0000042`."""
    digits = pc.utf8_lpad(pa.array(np.arange(count)).cast(pa.string()), width=7, padding="0")
    return _words(pc.binary_join_element_wise(pa.scalar(letter), digits, ""))


_PROGRAM: Final = _words(tuple(program.program_id for program in PROGRAMS))
_SOURCE: Final = _words(REFERRAL_SOURCES)
_QUARTER: Final = _words(
    tuple(f"{quarter // 4}-Q{quarter % 4 + 1}" for quarter in range(FIRST_QUARTER, FIRST_QUARTER + QUARTERS))
)
_MONTH: Final = _words(tuple(str(np.datetime64(FIRST_MONTH) + month) for month in range(MONTHS)))


def layouts(episode_id: Encoder, person_id: Encoder, referral_id: Encoder) -> dict[str, dict[str, Encoder]]:
    """Return by file name the columns of each file, in order, and how each is printed."""
    return {
        "episodes.csv": {
            "episode_id": episode_id,
            "person_id": person_id,
            "program_id": _PROGRAM,
            "admit_date": _date,
            "discharge_date": _date,
            "discharge_reason": _words(REASONS),
            "modality": _words(MODALITIES),
            "planned_weeks": _number,
            "level_of_care": _words(LEVELS),
            "primary_condition": _words(CONDITIONS),
            "age_band": _words(AGE_BANDS),
            "gender": _words(GENDERS),
            "referral_source": _SOURCE,
            "site": _words(SITES),
            "population": _words(POPULATIONS),
            "track": _words(TRACKS),
            "therapy": _words(THERAPIES),
            "payer_group": _words(PAYERS),
            "discharged_to": _words(DESTINATIONS),
            "referral_date": _date,
            "planned_hours_per_week": _tenths,
            "consent_followup": _flag,
            "employed_at_admission": _flag,
            "stable_housing_at_admission": _flag,
            "arrested_past_30_at_admission": _flag,
        },
        "attendance.csv": {
            "episode_id": episode_id,
            "session_date": _date,
            "session_type": _words(SESSION_TYPES),
            "status": _words(STATUSES),
            "minutes": _number,
            "delivery": _words(("in_person", "telehealth")),
            "session_no": _number,
            "scheduled_minutes": _number,
            "cancel_notice_hours": _number,
        },
        "scores.csv": {
            "episode_id": episode_id,
            "instrument": _words(INSTRUMENTS),
            "assessed_on": _date,
            "total": _number,
            "item_9": _number,
            "shared_with_person": _flag,
            "plan_changed": _flag,
        },
        "score_items.csv": {
            "episode_id": episode_id,
            "instrument": _words(INSTRUMENTS),
            "assessed_on": _date,
            "item": _number,
            "value": _number,
        },
        "substance_use.csv": {
            "episode_id": episode_id,
            "observed_on": _date,
            "source": _words(SOURCES),
            "result": _words(RESULTS),
            "substance": _words(SUBSTANCES),
            "scheduled": _flag,
            "days_used_past_30": _number,
            "controlled_environment": _flag,
        },
        "readmissions.csv": {
            "person_id": person_id,
            "admit_date": _date,
            "discharge_date": _date,
            "level_of_care": _words(LEVELS),
            "planned": _flag,
        },
        "followups.csv": {
            "episode_id": episode_id,
            "due_day": _number,
            "attempted_on": _date,
            "reached": _flag,
            "days_abstinent_past_30": _number,
            "outcome": _words(OUTCOMES),
            "completed_on": _date,
            "any_use_since_discharge": _flag,
            "employed": _flag,
            "stable_housing": _flag,
            "arrested": _flag,
            "rehospitalised": _flag,
            "controlled_environment": _flag,
            "recovery_meetings": _number,
        },
        "referrals.csv": {
            "referral_id": referral_id,
            "person_id": person_id,
            "received_on": _date,
            "source": _SOURCE,
            "decision": _words(DECISIONS),
            "episode_id": episode_id,
        },
        "satisfaction.csv": {
            "program_id": _PROGRAM,
            "period": _QUARTER,
            "respondent": _words(RESPONDENTS),
            "instrument": _words(("CSQ-8",)),
            "response_no": _number,
            "total": _number,
            "recommend": _number,
            "invited": _number,
            "answered": _number,
        },
        "finance.csv": {
            "program_id": _PROGRAM,
            "period": _MONTH,
            "cost": _number,
            "capacity_slots": _number,
        },
        "capture.csv": {
            "person_id": person_id,
            "source": _words(CAPTURE_SOURCES),
            "from": _date,
            "to": _date,
        },
    }


class CsvFile:
    """A CSV file written block by block; `rows` is how many it holds so far."""

    def __init__(self, path: Path, layout: Mapping[str, Encoder]) -> None:
        self.rows = 0
        self._layout = layout
        self._file = path.open("wb")
        self._file.write((",".join(layout) + "\n").encode())

    def append(self, rows: Rows) -> None:
        """Print the columns of the layout; other columns of `rows` are left out."""
        table = pa.table({name: encode(rows[name]) for name, encode in self._layout.items()})
        # Codes, numbers and dates: nothing here needs quotes, and Arrow refuses to write a value that would.
        csv.write_csv(table, self._file, csv.WriteOptions(include_header=False, quoting_style="none"))
        self.rows += table.num_rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
