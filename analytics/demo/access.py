"""Who asked for help, whether they came, what people said when they left, and what the programs cost."""

from __future__ import annotations

from typing import Final

import numpy as np

from analytics.demo.chance import pick
from analytics.demo.columns import MISSING, Floats, Rows, join_rows, sort_rows, take_rows
from analytics.demo.episodes import Episodes
from analytics.demo.people import People
from analytics.demo.plan import DATA_CUT, FIRST_ADMISSION, GROUP_MINUTES, GROUPS, PROGRAMS, TEEN

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
FIRST_MONTH: Final = "2023-10"
MONTHS: Final = 36

_NOT_ADMITTED: Final = 0.42  # for each episode, people who asked and did not start
_NOT_ADMITTED_DECISIONS: Final[Floats] = np.array([0, 0.16, 0.30, 0.30, 0.04, 0.20, 0])
_SOURCES: Final[Floats] = np.array([0.28, 0.14, 0.16, 0.06, 0.26, 0.04, 0.02, 0.04])
_PENDING_DAYS: Final = 14
# On a standard normal scale: above which an answer is 2, 3, 4.
_RECOMMEND_ABOVE: Final[Floats] = np.array([-2.1, -1.5, -0.6])


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
    """Return the columns of satisfaction.csv: for each program, quarter and kind of respondent counts and answers.

    Clients and the families of teens are asked when an episode ends, referrers every quarter. A row of counts has no
    `response_no`; the answers of a quarter are numbered from 1: CSQ-8 total (8 to 32) and its question whether one
    would recommend the program (1 to 4).
    """
    end = episodes.admit + episodes.discharge_day
    quarter = end.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3 + 4 * 1970
    cell = episodes.program * QUARTERS + quarter - FIRST_QUARTER
    ended = np.bincount(cell[episodes.closed], minlength=len(PROGRAMS) * QUARTERS)
    program, period = np.divmod(np.arange(ended.size), QUARTERS)
    parts = []
    for respondent, share, total, invited in (
        (0, 0.46, 26.8, ended),
        (1, 0.38, 27.2, np.where(TEEN[program], ended, 0)),
        (2, 0.55, 26.2, np.where(ended > 0, rng.integers(4, 12, ended.size), 0)),
    ):
        asked = np.flatnonzero(invited > 0)
        answered = rng.binomial(invited, share)
        answers = np.repeat(asked, answered[asked])
        content = rng.standard_normal(answers.size)
        warmth = 0.7 * content + 0.7 * rng.standard_normal(answers.size)
        first = np.cumsum(answered[asked]) - answered[asked]
        at = np.concatenate([asked, answers])
        empty, none = np.full(asked.size, MISSING), np.full(answers.size, MISSING)
        number = 1 + np.arange(answers.size) - np.repeat(first, answered[asked])
        totals = np.clip(np.round(total + 3.6 * content), 8, 32).astype(np.int64)
        parts.append(
            {
                "program_id": program[at],
                "period": period[at],
                "respondent": np.full(at.size, respondent),
                "instrument": np.zeros(at.size, dtype=np.int64),
                "response_no": np.concatenate([empty, number]),
                "total": np.concatenate([empty, totals]),
                "recommend": np.concatenate([empty, 1 + np.searchsorted(_RECOMMEND_ABOVE, warmth)]),
                "invited": np.concatenate([invited[asked], none]),
                "answered": np.concatenate([answered[asked], none]),
            }
        )
    return sort_rows(join_rows(parts), "program_id", "period", "respondent", "response_no")


def finance_rows(rng: np.random.Generator, episodes: Episodes) -> Rows:
    """Return the columns of finance.csv: what each program cost in a month, and its places in sessions.

    Places are what was booked, by the days on which people were enrolled, and some more.
    """
    end = np.minimum(episodes.admit + episodes.discharge_day, DATA_CUT)
    weekly = np.sum(GROUPS, axis=1) + 1
    minutes = np.sum(GROUPS * GROUP_MINUTES, axis=1) // np.sum(GROUPS, axis=1)
    parts = []
    for month in range(MONTHS):
        first, after = (np.datetime64(FIRST_MONTH) + month + np.arange(2)).astype("datetime64[D]").astype(np.int64)
        days = np.clip(np.minimum(end + 1, after) - np.maximum(episodes.admit, first), 0, None)
        enrolled = np.bincount(episodes.program, days, minlength=len(PROGRAMS))
        slots = np.ceil(enrolled / 7 * weekly * rng.uniform(1.08, 1.3, weekly.size)).astype(np.int64)
        cost = np.round(slots * minutes * rng.uniform(0.95, 1.15, weekly.size) / 100).astype(np.int64) * 100
        parts.append(
            {
                "program_id": np.arange(weekly.size),
                "period": np.full(weekly.size, month),
                "cost": cost,
                "capacity_slots": slots,
            }
        )
    rows = sort_rows(join_rows(parts), "program_id", "period")
    return take_rows(rows, rows["capacity_slots"] > 0)
