"""Who asked for help, whether they came, and what people said when they left."""

from __future__ import annotations

from typing import Final

import numpy as np

from analytics.demo.chance import pick
from analytics.demo.columns import MISSING, Floats, Rows, join_rows, sort_rows, take_rows
from analytics.demo.episodes import Episodes
from analytics.demo.people import People
from analytics.demo.plan import DATA_CUT, FIRST_ADMISSION, PROGRAMS, TEEN

DECISIONS: Final = (
    "admitted",
    "not_eligible",
    "declined",
    "unreachable",
    "waitlist",
    "referred_elsewhere",
    "pending",
)
RESPONDENTS: Final = ("client", "family", "referrer")
FIRST_QUARTER: Final = 4 * 2023 + 3  # the last of 2023
QUARTERS: Final = 12  # the data cut ends one

_NOT_ADMITTED: Final = 0.42  # for each episode, people who asked and did not start
_NOT_ADMITTED_DECISIONS: Final[Floats] = np.array([0, 0.16, 0.30, 0.30, 0.04, 0.20, 0])
_SOURCES: Final[Floats] = np.array([0.28, 0.14, 0.16, 0.06, 0.26, 0.04, 0.02, 0.04])
_PENDING_DAYS: Final = 14


def referral_rows(rng: np.random.Generator, episodes: Episodes, people: People, first_person: int) -> Rows:
    """Return the columns of referrals.csv, by day.

    Parameters
    ----------
    first_person : the number of the first person who never started.
    """
    came = np.flatnonzero(people.referred_on != MISSING)
    others = round(_NOT_ADMITTED * episodes.size)
    received = rng.integers(FIRST_ADMISSION - 7, DATA_CUT + 1, others)
    decision = pick(rng.random(others), _NOT_ADMITTED_DECISIONS)
    recent = (received > DATA_CUT - _PENDING_DAYS) & (rng.random(others) < 0.6)
    rows = join_rows(
        [
            {
                "person_id": episodes.person[came],
                "received_on": people.referred_on[came],
                "source": people.source[came],
                "decision": np.full(came.size, DECISIONS.index("admitted")),
                "episode_id": came,
            },
            {
                "person_id": first_person + np.arange(others),
                "received_on": received,
                "source": pick(rng.random(others), _SOURCES),
                "decision": np.where(recent, DECISIONS.index("pending"), decision),
                "episode_id": np.full(others, MISSING),
            },
        ]
    )
    rows = sort_rows(rows, "received_on", "person_id")
    rows["referral_id"] = np.arange(rows["person_id"].size)
    return rows


def satisfaction_rows(rng: np.random.Generator, episodes: Episodes) -> Rows:
    """Return the columns of satisfaction.csv: one row for each program, quarter and kind of respondent.

    `total` is the mean CSQ-8 total (8 to 32) of those who answered, `recommend` their mean answer on 0 to 10,
    both in tenths. Clients and the families of teens are asked when an episode ends, referrers every quarter.
    """
    end = episodes.admit + episodes.discharge_day
    quarter = end.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3 + 4 * 1970
    cell = episodes.program * QUARTERS + quarter - FIRST_QUARTER
    ended = np.bincount(cell[episodes.closed], minlength=len(PROGRAMS) * QUARTERS)
    program, period = np.divmod(np.arange(ended.size), QUARTERS)
    parts = []
    for respondent, share, total, invited in (
        (0, 0.46, 268, ended),
        (1, 0.38, 272, np.where(TEEN[program], ended, 0)),
        (2, 0.55, 262, np.where(ended > 0, rng.integers(4, 12, ended.size), 0)),
    ):
        answered = rng.binomial(invited, share)
        spread = rng.standard_normal((2, ended.size)) / np.sqrt(np.maximum(answered, 1))
        parts.append(
            {
                "program_id": program,
                "period": period,
                "respondent": np.full(ended.size, respondent),
                "total": np.where(answered > 0, np.minimum(total + np.round(30 * spread[0]), 320), MISSING),
                "recommend": np.where(answered > 0, np.minimum(84 + np.round(15 * spread[1]), 100), MISSING),
                "invited": invited,
                "answered": answered,
            }
        )
    rows = {name: column.astype(np.int64) for name, column in join_rows(parts).items()}
    rows["instrument"] = np.zeros(rows["program_id"].size, dtype=np.int64)
    return sort_rows(take_rows(rows, rows["invited"] > 0), "program_id", "period", "respondent")
