"""Staying and finishing: completion, the ways of leaving over time, and who is still there after a month."""

from __future__ import annotations

from typing import Final

from analytics.measures.denominators import (
    GRACE_DAYS,
    MATURE,
    NO_SESSIONS_NOTE,
    NOT_LEFT,
    REVIEWED,
    SESSIONS_NOT_RECORDED,
    STAY,
    WHO_LEFT,
)
from analytics.measures.substance_use import FOR_USE
from analytics.measures.types import Estimator, Measure, Table

OF_AVOIDABLE: Final = "of avoidable outcomes"
# Ways of leaving that say nothing for or against finishing (measures.md 4.B, completion_rate).
NEUTRAL: Final = (
    "('deceased', 'incarcerated', 'moved', 'insurance_ended', "
    "'transferred_lower', 'transferred_lateral', 'transferred_higher')"
)
COMPLETED_FOR_SURE: Final = "coalesce(discharge_reason = 'completed', false)"

completion = Measure(
    id="completion",
    title="Completed the program",
    question="Of the people who left the program, how many had completed it?",
    of_whom="of people who left the program",
    did="had completed the program",
    family="Of every 100 people whose time in the program had ended, about {per_100} had finished it as planned.",
    table=Table.EPISODE_OUTCOME,
    eligible=WHO_LEFT,
    lost=NOT_LEFT,
    success="discharge_reason = 'completed'",
    unknown_words="reason for leaving not recorded",
    known_words="with a recorded reason",
    variants={
        "completed or stepped down as planned": "discharge_reason in ('completed', 'transferred_lower')",
        "TEDS positive (any transfer)": (
            "discharge_reason in ('completed', 'transferred_lower', 'transferred_lateral', 'transferred_higher')"
        ),
        OF_AVOIDABLE: f"case when discharge_reason in {NEUTRAL} then null else {COMPLETED_FOR_SURE} end",
    },
    narrower=(OF_AVOIDABLE,),
    also_counted={"transferred to higher care": "discharge_reason = 'transferred_higher'"},
    mature=MATURE,
    estimator=Estimator.PROPORTION,
    better="higher",
    source="SAMHSA TEDS-D, REASON = 1",
    reviewed=REVIEWED,
    notes=(
        "Deaths and custody stay in: they are part of what became of the people who came. Of avoidable outcomes leaves "
        "them out, and who moved, was transferred or lost their insurance; a reason not recorded counts there as not "
        "completed.",
        "Transfers to higher care are given apart: among TEDS positive they count, and few would call them a success.",
        "What counts as completing is the program's own rule, so programs are hard to compare.",
        "Split or limited by admission period, only admissions whose planned length passed two weeks ago are counted.",
    ),
)

# REASON of the Treatment Episode Data Set: its words, and the reasons of ours that it takes together.
TEDS_REASONS: Final = {
    "TEDS 1, treatment completed": ("completed",),
    "TEDS 2, dropped out": ("left_against_advice", "lost_contact"),
    "TEDS 3, terminated by the facility": ("administrative",),
    "TEDS 4, transferred": ("transferred_lower", "transferred_lateral", "transferred_higher"),
    "TEDS 5, incarcerated": ("incarcerated",),
    "TEDS 6, death": ("deceased",),
    "TEDS 7, other": ("insurance_ended", "moved", "medical", "other"),
}


def _reason(*words: str) -> str:
    """Return the condition of one of these reasons of TEDS."""
    codes = [code for name in words for code in TEDS_REASONS[name]]
    return "discharge_reason in ('" + "', '".join(codes) + "')"


COMPLETED, TRANSFERRED = "TEDS 1, treatment completed", "TEDS 4, transferred"

completion_teds = Measure(
    id="completion",
    profile="teds",
    title="Completed, by TEDS reasons",
    question="Of the people treated for substance use who left, how many left with TEDS reason 1, treatment completed?",
    of_whom="of people treated for substance use who left",
    did="had completed treatment by TEDS reason",
    family="Of every 100 people treated for substance use who left, about {per_100} had finished treatment.",
    table=Table.EPISODE_OUTCOME,
    eligible={FOR_USE: "is_sud", **WHO_LEFT},
    lost={FOR_USE: "not treated for substance use", **NOT_LEFT},
    success=_reason(COMPLETED),
    unknown_words="reason for leaving not recorded",
    known_words="with a recorded reason",
    variants={"completed or transferred (TEDS 1 and 4)": _reason(COMPLETED, TRANSFERRED)},
    also_counted={words: _reason(words) for words in TEDS_REASONS},
    mature=MATURE,
    estimator=Estimator.PROPORTION,
    better="higher",
    source="SAMHSA TEDS-D, REASON (codes read in a public data dictionary)",
    reviewed=REVIEWED,
    deviations=(
        "TEDS holds discharges from programs that report to a state, here all of this program",
        "TEDS counts a record for each service, here one for each stay",
        "what a state files under each reason is its own rule; here our reasons are put together by their words",
    ),
    notes=("How many left for each reason is given. A transfer to higher care is among the transfers.",),
)

PLANNED: Final = "with a planned length"
NOT_PLANNED: Final = "planned length not recorded"

completion_planned = Measure(
    id="completion_planned",
    title="Completed, of all whose plan is over",
    question="Of all people admitted whose planned time ended at least two weeks ago, how many completed the program?",
    of_whom="of people admitted whose planned time is over",
    did="had completed the program",
    family="Of every 100 people admitted whose planned time is over, about {per_100} had finished the program.",
    table=Table.EPISODE_OUTCOME,
    eligible={PLANNED: "planned_weeks is not null"},
    lost={PLANNED: NOT_PLANNED},
    # Everybody admitted is in it, so it does not wait for the slow: still here, or left for whatever reason, is a no.
    success=COMPLETED_FOR_SURE,
    window="from admission to the data cut",
    horizon=f"observed_days >= 7 * planned_weeks + {GRACE_DAYS}",
    horizon_words="planned to end at least two weeks ago",
    estimator=Estimator.PROPORTION,
    better="higher",
    source="Project decision: completed, of all admissions whose planned end is two weeks past",
    reviewed=REVIEWED,
    notes=(
        "Whoever is still here, or left for a reason not recorded, counts as not completed. Beside completion, which "
        "counts only those who left: in a growing program these are the short stays.",
        "What counts as completing is the program's own rule, so programs are hard to compare.",
    ),
)

completion_cif = Measure(
    id="completion_cif",
    title="How people left, over time",
    question=("Week by week, how many of the people admitted had finished, left early, moved on, or were still here?"),
    of_whom="of people admitted",
    did="had completed the program",
    family="Of every 100 people admitted, about {per_100} had finished the program by the end of the longest plan.",
    table=Table.EPISODE_OUTCOME,
    eligible={},
    lost={},
    estimator=Estimator.INCIDENCE,
    time=STAY,
    cause="exit",
    way="completed",
    read_at=(84,),
    better="higher",
    source="Aalen & Johansen 1978, Scand J Statist 5:141-150; Scrucca 2007, doi:10.1038/sj.bmt.1705727",
    reviewed=REVIEWED,
    notes=(
        "People who are still here count for the days they have been seen. All ways of leaving and those "
        "still here add up to everybody on each day.",
        "Read at the end of the longest planned length (day 84 where none is known); split by planned length, at each.",
        "The stay ends with the last attended session of people who left early, not with the paperwork.",
    ),
)

retention_km = Measure(
    id="retention_km",
    title="Still in the program, by day",
    question="How long do people stay, counting also those who have just started?",
    of_whom="of people admitted",
    did="were still in the program",
    family="Half of the people admitted are still in the program after {value} days.",
    table=Table.EPISODE_OUTCOME,
    eligible={},
    lost={},
    estimator=Estimator.SURVIVAL,
    time=STAY,
    cause="is_closed",
    read_at=(30, 60, 90),
    better="higher",
    source="Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452",
    reviewed=REVIEWED,
    notes=(
        "Every way of leaving ends the stay, completing too: a short stay can be a good one.",
        "This is not the share retained at day 30, in which people who completed earlier count as retained.",
    ),
)


def _retained(day: int, family: str) -> Measure:
    """Return the share still in, or finished, at a day; known for everybody admitted that long ago."""
    alive = f"not dead or in custody before day {day}"
    return Measure(
        id=f"retention_{day}",
        title=f"Still in or finished at day {day}",
        question=(f"Of the people admitted at least {day} days ago, how many stayed {day} days or finished earlier?"),
        of_whom=f"of people admitted at least {day} days ago",
        did=f"stayed {day} days or had finished earlier",
        family=family,
        table=Table.EPISODE_OUTCOME,
        # People whom death or custody took out did not choose to leave; they are a rung of their own.
        eligible={
            alive: (f"coalesce(discharge_reason not in ('deceased', 'incarcerated') or exit_day >= {day}, true)")
        },
        lost={alive: f"dead or in custody before day {day}"},
        success=f"{STAY} >= {day} or exit = 'completed'",
        unknown_words="reason for leaving early not recorded",
        known_words="with a known stay",
        window=f"the first {day} days from admission",
        horizon=f"observed_days >= {day}",
        horizon_words=f"admitted at least {day} days ago",
        estimator=Estimator.PROPORTION,
        better="higher",
        source="Fixed-day retention; days count from admission to the last attended session",
        reviewed=REVIEWED,
        notes=("Groups must be fixed at admission: a group formed by what came later had to stay to be in it.",),
    )


retention_30 = _retained(
    30,
    "Of every 100 people admitted, about {per_100} were still in treatment a month later, or had finished.",
)
retention_60 = _retained(
    60,
    "Of every 100 people admitted, about {per_100} were still in treatment two months later, or had finished.",
)

retention_90 = _retained(
    90,
    "Of every 100 people admitted, about {per_100} were still in treatment three months later, or had finished.",
)

early_dropout = Measure(
    id="early_dropout",
    title="Left within two days of treatment",
    question="Of the people admitted at least two weeks ago, how many left early, after at most two days?",
    of_whom="of people admitted at least two weeks ago",
    did="left early after at most two days of treatment",
    family="Of every 100 people admitted, about {per_100} came on two days or fewer and then stopped.",
    table=Table.EPISODE_OUTCOME,
    eligible={},
    lost={},
    # Still in, or left for another reason: no early dropout, whatever the number of days.
    success="case when exit = 'left_early' then attended_days <= 2 when exit is not null then false end",
    unknown_words=SESSIONS_NOT_RECORDED,
    known_words="with a known start",
    horizon="observed_days >= 14",
    horizon_words="admitted at least two weeks ago",
    estimator=Estimator.PROPORTION,
    better="lower",
    needs=("attendance",),
    source="Project decision: at most two days with an attended session; left against advice, lost, or ended by the "
    "program",
    reviewed=REVIEWED,
    notes=(
        "Left early: on their own, lost from sight, or ended by the program. Who never came is counted too.",
        NO_SESSIONS_NOTE,
    ),
)

length_of_stay = Measure(
    id="length_of_stay",
    title="Days in the program",
    question="How many days did half of the people who left stay at most?",
    of_whom="of the people who left",
    did="had stayed",
    family="Half of the people whose time in the program has ended had stayed {value} days or less.",
    table=Table.EPISODE_OUTCOME,
    eligible=WHO_LEFT,
    lost=NOT_LEFT,
    amount="exit_day",
    unknown_words="length not known",
    known_words="with a known length",
    mature=MATURE,
    estimator=Estimator.MEDIAN,
    better="neutral",
    source="Median with order-statistic interval, Hahn & Meeker 1991",
    reviewed=REVIEWED,
    minimum_for_headline=20,
    notes=(
        "Only people who have left: while a program grows this is too short. `retention_km` counts those still here "
        "as well.",
        "Compare by planned length only: a group formed by how long people stayed compares nothing.",
    ),
)

planned_length_attained = Measure(
    id="planned_length_attained",
    title="Planned weeks stayed",
    question="What share of the days planned for them did the people who left stay, on average?",
    of_whom="of people who left, with a planned length",
    did="had stayed this share of their planned days on average",
    family=(
        "People whose time in the program has ended had stayed on average about {per_100} of every 100 days planned "
        "for them."
    ),
    table=Table.EPISODE_OUTCOME,
    eligible={**WHO_LEFT, PLANNED: "planned_weeks is not null"},
    lost={**NOT_LEFT, PLANNED: NOT_PLANNED},
    amount="least(exit_day, 7 * planned_weeks) / (7e0 * planned_weeks)",
    amount_unit="share",
    amount_range=(0, 1),
    unknown_words="length not known",
    known_words="with a known length",
    ratio_variants={
        "days stayed of all days planned, in which long plans weigh more": (
            "least(exit_day, 7 * planned_weeks)",
            "7 * planned_weeks",
        ),
        # 90 % of 7 days a week, in whole numbers.
        "stays of at least 90 % of the plan, of all stays": (
            "case when 10 * exit_day >= 63 * planned_weeks then 1 else 0 end",
            "1",
        ),
    },
    ratio_unit="day",
    mature=MATURE,
    estimator=Estimator.MEAN,
    better="higher",
    source="Project decision: mean of stays of the stay, at most the planned length, over planned length",
    reviewed=REVIEWED,
    minimum_for_headline=20,
    notes=(
        "Each stay counts once: the share of its own planned days, at most all of them. All days together stand beside "
        "it, and how many stayed at least 90 % of their plan.",
        "The interval is one by t: with few stays it can reach beyond what a share can be.",
    ),
)
