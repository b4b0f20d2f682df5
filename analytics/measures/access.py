"""Getting in: how many of those who ask for help start, and how long they wait for the first session."""

from __future__ import annotations

from analytics.measures.denominators import CAME_OR_NOT_KNOWN, NO_SESSIONS_NOTE, REVIEWED, SESSIONS_NOT_RECORDED
from analytics.measures.types import Estimator, Measure, Table

ASKED = "with a date of referral"
CAME = "came to a first session"
ASKED_ONCE = "asked, and had not asked in the 30 days before"
WAIT = "wait_days + first_attended_day"
TARGET_DAYS = 7
FROM_REFERRAL = "from the referral to the first attended session"

_ELIGIBLE = {ASKED: "wait_days is not null", CAME: CAME_OR_NOT_KNOWN}
_LOST = {ASKED: "date of referral not recorded", CAME: "never came to a session"}
_NOTES = (
    "Where the requests for help are imported, the wait begins with the request that led to the stay, of several with "
    "the earliest not more than 60 days before admission; else with the date of referral written beside the stay.",
    "People who asked for help and never started are not in it: read it beside how many of those who asked began.",
    NO_SESSIONS_NOTE,
)

days_referral_to_first_session = Measure(
    id="days_referral_to_first_session",
    title="Wait from referral to first session",
    question="How many days did half of the people who started wait at most, from referral to first session?",
    of_whom="of the people who started with a known day of referral",
    did="waited",
    family="Half of the people who started and whose day of asking we know had waited {value} days or less.",
    table=Table.EPISODE_OUTCOME,
    eligible=_ELIGIBLE,
    lost=_LOST,
    amount=WAIT,
    unknown_words=SESSIONS_NOT_RECORDED,
    known_words="with a known wait",
    window=FROM_REFERRAL,
    estimator=Estimator.MEDIAN,
    better="lower",
    needs=("attendance",),
    source="CARF service access; median with order-statistic interval, Hahn & Meeker 1991",
    reviewed=REVIEWED,
    minimum_for_headline=10,
    notes=_NOTES,
)

started_within_7 = Measure(
    id="started_within_7",
    title="First session within a week",
    question="Of the people who started, how many had their first session within seven days of being referred?",
    of_whom="of people who started with a known day of referral",
    did="had their first session within seven days",
    family=(
        "Of every 100 people who started and whose day of asking we know, about {per_100} had their first session "
        "within a week of asking."
    ),
    table=Table.EPISODE_OUTCOME,
    eligible=_ELIGIBLE,
    lost=_LOST,
    success=f"{WAIT} <= {TARGET_DAYS}",
    unknown_words=SESSIONS_NOT_RECORDED,
    window=FROM_REFERRAL,
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("attendance",),
    source="Project decision: a target of seven days",
    reviewed=REVIEWED,
    notes=_NOTES,
)

# Whoever never came has no day and is a no; whose sessions are not recorded, neither.
BEGAN = "coalesce(days_to_first_session <= 30, case when knows_first_session is distinct from false then false end)"

admission_conversion = Measure(
    id="admission_conversion",
    title="Requests for help that led to a start",
    question="Of the people who asked for help here, how many came to a first session within 30 days?",
    of_whom="of people who asked for help",
    did="came to a first session within 30 days",
    family="Of every 100 people who asked for help here, about {per_100} began within a month.",
    table=Table.REFERRAL_OUTCOME,
    eligible={ASKED_ONCE: "is_repeat = false"},
    lost={ASKED_ONCE: "asked again within 30 days"},
    success=BEGAN,
    unknown_words=SESSIONS_NOT_RECORDED,
    variants={"of those not found ineligible": f"case when decision is distinct from 'not_eligible' then {BEGAN} end"},
    narrower=("of those not found ineligible",),
    window="days 0 to 30 after the request",
    # Where the time since a request is not known, it counts, and as not started: the share is then a floor.
    horizon="coalesce(observed_days >= 30, true)",
    horizon_words="asked at least 30 days ago",
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("referral", "attendance"),
    source="CARF service access; project decision: a first attended session within 30 days of the request",
    reviewed=REVIEWED,
    notes=(
        "A request counts once: whoever asks again within 30 days has asked once. A request without a decision, or "
        "from which no stay is known, counts as not started.",
        "Counted are requests, also of people who were never admitted and of nobody named. The mark for small numbers "
        "counts only people who can be told apart; a request without a name is nobody there.",
        "Of people who only asked, the source of the request and, for those never admitted, its period are known and "
        "nothing else. By period, whoever started counts in the period of admission, others in that of the request.",
        NO_SESSIONS_NOTE,
    ),
)
