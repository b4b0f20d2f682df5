"""From a fixed day on: what became of people who were still in the program on it, and of those who had left before.

Who stayed longer had more time to do well, and whoever left in a crisis could not stay: groups by the length of stay
that people happened to reach say nothing about length (immortal time). From a landmark day on both groups are known,
everybody in them is free of the event, and only what happens later counts.
"""

from __future__ import annotations

from analytics.measures.denominators import MATURE, NOT_LEFT, REVIEWED, STAY, WHO_LEFT
from analytics.measures.types import Estimator, Measure, Table

SEEN_FOR = 180
SOURCE = "Landmark analysis, Anderson, Cain & Gelber 1983, doi:10.1200/JCO.1983.1.11.710"
# The first hospital, residential or detox stay on or after day 1, in days since admission.
FIRST_STAY = "least(step_up_day, exit_day + readmission_day)"
CHOSEN = (
    "Split by whether people were still in the program on that day, it compares those who stayed with those who had "
    "left. Both groups chose: it does not say that staying longer prevents anything."
)


def _hospital_after(day: int, weeks: str) -> Measure:
    """Return the share with a hospital, residential or detox stay between a landmark and half a year."""
    alive, free = f"alive on day {day}", f"no hospital up to day {day}"
    return Measure(
        id=f"hospital_after_{day}",
        title=f"Hospital from day {day + 1} to day {SEEN_FOR}",
        question=(
            f"Of the people who had been in no hospital in the first {weeks}, how many were in a hospital, "
            "residential or detox unit by half a year after admission?"
        ),
        of_whom=f"of people without a hospital stay up to day {day} who left",
        did=f"were in a hospital, residential or detox unit from day {day + 1} to day {SEEN_FOR}",
        no_family="No sentence: it compares those who stayed with those who left, and both chose.",
        table=Table.EPISODE_OUTCOME,
        eligible={
            **WHO_LEFT,
            alive: f"(discharge_reason = 'deceased' and exit_day <= {day}) is not true",
            free: f"({FIRST_STAY} <= {day}) is not true",
        },
        lost={**NOT_LEFT, alive: f"died by day {day}", free: f"in a hospital by day {day}"},
        success=(
            f"case when captured_days is null or exit_day + captured_days >= {SEEN_FOR} "
            f"then coalesce({FIRST_STAY} <= {SEEN_FOR}, false) end"
        ),
        unknown_words=f"stays not visible up to day {SEEN_FOR}",
        known_words="whose hospital stays we would see",
        window=f"days {day + 1} to {SEEN_FOR} after admission",
        horizon=f"observed_days >= {SEEN_FOR}",
        horizon_words=f"admitted at least {SEEN_FOR} days ago",
        landmark=day,
        estimator=Estimator.PROPORTION,
        better="lower",
        needs=("acute_event",),
        source=SOURCE,
        reviewed=REVIEWED,
        notes=(
            CHOSEN,
            "A stay during the program counts whether or not it was planned, one after it when it was not planned.",
            "Deaths after leaving are not known to us.",
        ),
    )


hospital_after_28 = _hospital_after(28, "four weeks")
hospital_after_56 = _hospital_after(56, "eight weeks")
hospital_after_90 = _hospital_after(90, "90 days")


def _completion_after(day: int, weeks: str) -> Measure:
    """Return the share who completed, of those still in the program after a landmark."""
    still_in = f"still in after day {day}"
    return Measure(
        id=f"completion_after_{day}",
        title=f"Completed, of those in after day {day}",
        question=f"Of the people who were still in the program after {weeks} and left later, how many completed it?",
        of_whom=f"of people still in the program after day {day} who left later",
        did="had completed the program",
        family=f"Of every 100 people who were still with us after {weeks}, about {{per_100}} went on to finish.",
        table=Table.EPISODE_OUTCOME,
        eligible={still_in: f"{STAY} > {day}", **WHO_LEFT},
        lost={still_in: f"left by day {day}, or not here that long yet", **NOT_LEFT},
        success="discharge_reason = 'completed'",
        unknown_words="reason for leaving not recorded",
        known_words="with a recorded reason",
        window=f"after day {day}",
        mature=MATURE,
        estimator=Estimator.PROPORTION,
        better="higher",
        source=SOURCE,
        reviewed=REVIEWED,
        notes=("Never beside completion of everybody as if it were the same: who left before is not in it.",),
    )


completion_after_28 = _completion_after(28, "four weeks")
completion_after_56 = _completion_after(56, "eight weeks")
