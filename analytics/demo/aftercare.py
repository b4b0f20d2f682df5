"""What happens around and after a stay: hospital, where it could be seen, and the follow-up calls.

Planted here: unplanned hospital stays within 30 days for about one person in eleven, visible for about 85 %
of the people; and calls that reach about 55 % half a year later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.demo.chance import even_uniform
from analytics.demo.columns import (
    MISSING,
    Columns,
    Flags,
    Floats,
    Ints,
    Rows,
    join_rows,
    sort_rows,
    take_rows,
)
from analytics.demo.episodes import Episodes
from analytics.demo.people import People
from analytics.demo.plan import DATA_CUT, LEVELS, REASONS, TEEN
from analytics.demo.substance_use import Use

CAPTURE_SOURCES: Final = ("hie", "claims")
OUTCOMES: Final = (
    "completed",
    "no_answer",
    "refused",
    "wrong_contact",
    "incarcerated",
    "deceased",
    "no_consent",
)
_REACHED, _NO_ANSWER, _REFUSED, _WRONG_CONTACT, _IN_CUSTODY, _DECEASED, _NO_CONSENT = range(len(OUTCOMES))

_SEEN: Final = 0.85  # share of people whose hospital stays would be known
_CLAIMS_LAG: Final = 60  # days by which claims are late
_WITHIN_30: Final = {  # share with an unplanned stay on day 1 to 30
    "completed": 0.062,
    "transferred_higher": 0.13,
    "left_against_advice": 0.20,
    "lost_contact": 0.20,
    "administrative": 0.18,
}
_WITHIN_30_OTHERS: Final = 0.09
_DIRECT_TRANSFER: Final = 0.6  # of those who move to higher care
# Share reached by follow-up day: those who left early, all others. And the days in which a call counts.
_REACH: Final = {30: (0.60, 0.78), 90: (0.50, 0.70), 180: (0.43, 0.63), 365: (0.33, 0.52)}
_WINDOWS: Final = {30: (21, 45), 90: (75, 120), 180: (150, 240), 365: (335, 425)}
_SEEN_BEFORE: Final = 365  # days before the first admission


@dataclass
class Capture(Columns):
    """When hospital stays of a person could be seen; columns by person, `since` MISSING when never.

    `source` is a position in CAPTURE_SOURCES; `since` and `until` are days since 1970-01-01, both included.
    """

    source: Ints
    since: Ints
    until: Ints


def make_capture(rng: np.random.Generator, episodes: Episodes) -> Capture:
    """Return by person when hospital stays could be seen; claims are late, an exchange of records is not."""
    persons = episodes.persons
    first = np.full(persons, DATA_CUT)
    np.minimum.at(first, episodes.person, episodes.admit)
    claims = rng.random(persons) < 0.35
    until = DATA_CUT - _CLAIMS_LAG * claims
    since = first - _SEEN_BEFORE
    seen = (even_uniform(rng, first) < _SEEN) & (since <= until)
    return Capture(claims.astype(np.int64), np.where(seen, since, MISSING), until)


def capture_rows(capture: Capture) -> Rows:
    """Return the columns of capture.csv: one row for each person seen."""
    person = np.flatnonzero(capture.since != MISSING)
    return {
        "person_id": person,
        "source": capture.source[person],
        "from": capture.since[person],
        "to": capture.until[person],
    }


def _stays(episodes: Episodes, at: Ints, day: Ints, length: Ints, level: Ints, planned: bool) -> Rows:
    """Return stays that start `day` days after the episodes at `at` ended for the person."""
    start = episodes.admit[at] + episodes.exit_day[at] + day
    return {
        "episode": at,
        "person_id": episodes.person[at],
        "admit_date": start,
        "discharge_date": start + length,
        "level_of_care": level,
        "planned": np.full(at.size, int(planned)),
    }


def readmission_rows(
    rng: np.random.Generator, episodes: Episodes, people: People, use: Use, capture: Capture
) -> tuple[Rows, Flags]:
    """Return the columns of readmissions.csv, and by episode whether an unplanned stay followed it at all.

    Stays of one person never overlap, and none reaches into a later episode. Only what could be seen is in
    the file; the flag knows better.
    """
    size = episodes.size
    inpatient, residential, detox = (LEVELS.index(name) for name in ("inpatient", "residential", "detox"))

    def acute(at: Ints) -> Ints:
        return np.where(
            use.applies[at] & (rng.random(at.size) < 0.6),
            np.where(rng.random(at.size) < 0.5, detox, residential),
            inpatient,
        )

    left = episodes.closed & (episodes.reason != REASONS.index("deceased"))
    higher = episodes.reason == REASONS.index("transferred_higher")
    direct = left & higher & (even_uniform(rng, higher) < _DIRECT_TRANSFER)
    soon = np.array([_WITHIN_30.get(word, _WITHIN_30_OTHERS) for word in REASONS])[episodes.reason]
    draw = even_uniform(rng, episodes.reason, episodes.month)
    # Somebody who went straight to hospital is not taken in again before that stay has ended.
    unplanned = left & ~direct & (draw < soon)
    later = left & ~direct & ~unplanned & (draw < soon + 0.08)
    planned = left & ~direct & ~unplanned & ~later & (rng.random(size) < 0.014)
    before = people.from_hospital & (episodes.sequence == 0) & (rng.random(size) < 0.6)

    parts = []
    for flag, low, high, kind in (
        (direct, 0, 2, False),
        (unplanned, 1, 31, False),
        (later, 31, 181, False),
        (planned, 3, 29, True),
    ):
        at = np.flatnonzero(flag)
        day = low + np.floor((high - low) * rng.random(at.size) ** 1.3).astype(np.int64)
        # Day 1 after a move to higher care would read as a direct transfer.
        day = np.where(higher[at] & (flag is unplanned), np.maximum(day, 2), day)
        parts.append(_stays(episodes, at, day, rng.integers(3, 15, at.size), acute(at), kind))
    at = np.flatnonzero(before)
    end = episodes.admit[at] - rng.integers(0, 15, at.size)
    length = rng.integers(4, 15, at.size)
    stay = _stays(episodes, at, np.zeros(at.size, dtype=np.int64), length, np.full(at.size, inpatient), False)
    parts.append(stay | {"admit_date": end - length, "discharge_date": end})

    rows = join_rows(parts)
    happened = (rows["admit_date"] < episodes.next_admit[rows["episode"]]) & (rows["admit_date"] <= DATA_CUT)
    after = np.zeros(size, dtype=np.bool_)
    after[rows["episode"][happened & (rows["admit_date"] > episodes.admit[rows["episode"]])]] = True
    seen = (rows["admit_date"] >= capture.since[rows["person_id"]]) & (
        rows["admit_date"] <= capture.until[rows["person_id"]]
    )
    rows = take_rows(rows, happened & seen & (capture.since[rows["person_id"]] != MISSING))
    end = np.minimum(rows["discharge_date"], episodes.next_admit[rows["episode"]])
    rows["discharge_date"] = np.where(end > capture.until[rows["person_id"]], MISSING, end)
    return sort_rows(rows, "person_id", "admit_date"), after


def followup_rows(rng: np.random.Generator, episodes: Episodes, people: People, use: Use, hospital: Flags) -> Rows:
    """Return the columns of followups.csv, by episode and due day.

    A call is on file when it was made, or when its time had passed. Who uses is asked in the substance use
    and co-occurring programs only. Without consent there is no call.

    Parameters
    ----------
    hospital : by episode, whether an unplanned hospital stay followed.
    """
    parts = [_followups(rng, episodes, people, use, hospital, due_day, people.consent) for due_day in _REACH]
    return sort_rows(join_rows(parts), "episode_id", "due_day")


def _followups(
    rng: np.random.Generator,
    episodes: Episodes,
    people: People,
    use: Use,
    hospital: Flags,
    due_day: int,
    consent: Flags,
) -> Rows:
    first, last = _WINDOWS[due_day]
    end = episodes.admit + episodes.discharge_day
    wanted = end + np.clip(due_day + np.round(12 * rng.standard_normal(episodes.size)), first, last).astype(np.int64)
    at = np.flatnonzero(episodes.closed & (np.where(consent, wanted, end + last) <= DATA_CUT))
    size = at.size
    early = episodes.left_early[at]
    draw = even_uniform(rng, early, episodes.month[at])
    outcome = rng.choice(np.array([_NO_ANSWER, _WRONG_CONTACT, _REFUSED]), size, p=[0.72, 0.18, 0.10])
    outcome[draw < np.where(early, *_REACH[due_day])] = _REACHED
    outcome[~consent[at]] = _NO_CONSENT
    outcome[episodes.reason[at] == REASONS.index("deceased")] = _DECEASED
    if due_day == 30:
        outcome[episodes.reason[at] == REASONS.index("incarcerated")] = _IN_CUSTODY
    reached = outcome == _REACHED
    attempted = np.where(np.isin(outcome, (_NO_CONSENT, _DECEASED, _IN_CUSTODY)), MISSING, wanted[at])

    days_after = wanted[at] - end[at]
    used = use.first_use[at] < days_after
    clean_again = rng.random(size) < 0.3
    abstinent = np.where(used & ~clean_again, np.floor(30 * rng.beta(1.4, 0.8, size)), 30).astype(np.int64)
    # Whoever used for the first time less than 30 days ago cannot have been abstinent for 30 days.
    abstinent = np.where(used & (days_after - use.first_use[at] < 30), np.minimum(abstinent, 29), abstinent)
    asked_use = reached & use.applies[at]
    teen = TEEN[episodes.program[at]]
    completed = episodes.completed[at]

    # A stream of its own: the draws of the other columns stay where they are.
    goes = rng.spawn(1)[0].random(size) < 0.6

    def answers(share: float | Floats) -> Ints:
        return np.where(reached, (rng.random(size) < share).astype(np.int64), MISSING)

    return {
        "episode_id": at,
        "due_day": np.full(size, due_day),
        "attempted_on": attempted,
        "reached": reached.astype(np.int64),
        "days_abstinent_past_30": np.where(asked_use, abstinent, MISSING),
        "outcome": outcome,
        "completed_on": np.where(reached, wanted[at], MISSING),
        "any_use_since_discharge": np.where(asked_use, used.astype(np.int64), MISSING),
        "employed": np.where(teen, MISSING, answers(np.where(completed, 0.64, 0.5))),
        "stable_housing": answers(np.where(completed, 0.95, 0.87)),
        "arrested": answers(0.02),
        "rehospitalised": np.where(reached, hospital[at].astype(np.int64), MISSING),
        "controlled_environment": answers(0.02),
        "recovery_meetings": np.where(asked_use, np.where(goes, rng.poisson(4, size), 0), MISSING),
    }
