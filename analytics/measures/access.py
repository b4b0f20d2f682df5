"""Getting in: how long people wait between asking for help and the first session."""

from __future__ import annotations

from analytics.measures.denominators import REVIEWED
from analytics.measures.types import Estimator, Measure, Table

ASKED = "with a date of referral"
CAME = "came to a first session"
WAIT = "wait_days + first_attended_day"
TARGET_DAYS = 7
FROM_REFERRAL = "from the referral to the first attended session"

_ELIGIBLE = {ASKED: "wait_days is not null", CAME: "first_attended_day is not null"}
_LOST = {ASKED: "date of referral not recorded", CAME: "never came to a session"}
_NOTES = (
    "People who asked for help and never started are not in it: read it beside how many of those who asked began.",
)

days_referral_to_first_session = Measure(
    id="days_referral_to_first_session",
    title="Wait from referral to first session",
    question="How many days did half of the people who started wait at most, from referral to first session?",
    of_whom="of the people who started",
    did="waited",
    table=Table.EPISODE_OUTCOME,
    eligible=_ELIGIBLE,
    lost=_LOST,
    amount=WAIT,
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
    of_whom="of people who started",
    did="had their first session within seven days",
    family="Of every 100 people who started, about {per_100} had their first session within a week of asking.",
    table=Table.EPISODE_OUTCOME,
    eligible=_ELIGIBLE,
    lost=_LOST,
    success=f"{WAIT} <= {TARGET_DAYS}",
    window=FROM_REFERRAL,
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("attendance",),
    source="Project decision: a target of seven days",
    reviewed=REVIEWED,
    notes=_NOTES,
)
