"""Hospital and higher care, before the program, during it and after it; coming back."""

from __future__ import annotations

from analytics.measures.denominators import (
    MATURE,
    NO_SESSIONS_NOTE,
    NOT_LEFT,
    REVIEWED,
    SESSIONS_NOT_RECORDED,
    WHO_LEFT,
)
from analytics.measures.types import Estimator, Measure, Table

ALIVE = "alive when they left"
ENDED = "whose course of treatment ended"
NOT_FUH = (
    "the standard counts members of a health plan who left a hospital, here people who were admitted to this program "
    "within 30 days of leaving one",
    "it asks for a principal diagnosis of mental illness or self-harm, here an inpatient stay of whatever diagnosis",
    "it takes people from 6 years on: the programs are for adolescents and adults, so age takes nobody out",
    "hospice care is not recorded and takes nobody out; deaths are known only within the program",
    "a visit with another provider is not known and does not count",
)
FROM_HOSPITAL = "came here within 30 days of leaving a hospital"


def _readmission(day: int, months: str) -> Measure:
    """Return the share with an unplanned hospital, residential or detox stay up to a day after leaving."""
    return Measure(
        id=f"readmission_{day}d",
        title=f"Hospital within {day} days of leaving",
        question=(
            "Of the people who left the program, how many had an unplanned stay in a hospital, residential or detox "
            f"unit within {day} days?"
        ),
        of_whom="of people who left the program",
        did=f"had an unplanned hospital, residential or detox stay within {day} days",
        family=(
            "Of every 100 people whose time here had ended, about {per_100} needed an unplanned hospital, residential "
            f"or detox stay within {months}, as far as we know. People moved straight to a hospital are counted apart."
        ),
        table=Table.EPISODE_OUTCOME,
        eligible={**WHO_LEFT, ALIVE: "discharge_reason is distinct from 'deceased'"},
        lost={**NOT_LEFT, ALIVE: "died in the program"},
        # Captured for too few days: not known, also where a stay was seen. Were these a yes while none seen is not
        # known, the figure would rise with every window that ends early. Capture not collected: what we know is all
        # there is, and the card says so.
        success=(
            f"case when captured_days is null or captured_days >= {day} "
            f"then coalesce(readmission_day between 1 and {day}, false) end"
        ),
        unknown_words=f"stays not visible for {day} days",
        known_words="whose hospital stays we would see",
        also_counted={
            "direct_transfers": "direct_transfer",
            "stays seen among the not known": f"captured_days < {day} and readmission_day between 1 and {day}",
        },
        window=f"days 1 to {day} after leaving",
        mature=MATURE,
        horizon=f"observed_days >= exit_day + {day}",
        horizon_words=f"left at least {day} days ago",
        estimator=Estimator.PROPORTION,
        better="lower",
        needs=("acute_event",),
        source=(
            f"Program convention: first unplanned stay on days 1 to {day}"
            + ("; close to CMS IPF readmission, which counts days 3 to 30" if day == 30 else "")
        ),
        reviewed=REVIEWED,
        notes=(
            "Counted are unplanned stays known to us. Without the record of when stays could be seen, no row "
            "counts as no stay, so the figure is a floor. A stay that does not say whether it was planned "
            "counts as unplanned. With that record, whoever it does not cover up to "
            f"day {day} is not known, also where a stay was seen: these are given apart.",
            "A direct transfer (the day of leaving, or the next day after a transfer to higher care) is no "
            "readmission: it is counted during the program, and how many is given. The person stays at risk up "
            f"to day {day}.",
            "Deaths after leaving are not known to us.",
        ),
    )


readmission_30d = _readmission(30, "a month")
readmission_90d = _readmission(90, "three months")
readmission_180d = _readmission(180, "six months")

step_up_during_episode = Measure(
    id="step_up_during_episode",
    title="Moved to higher care from the program",
    question=("Of the people who left, how many needed a hospital or a higher level of care before or as they left?"),
    of_whom="of people who left the program",
    did="had moved to a hospital or higher care",
    family=(
        "Of every 100 people whose time here had ended, about {per_100} had needed a hospital or more care than the "
        "program gives."
    ),
    table=Table.EPISODE_OUTCOME,
    eligible=WHO_LEFT,
    lost=NOT_LEFT,
    success="step_up_day is not null or exit = 'transferred_higher'",
    unknown_words="reason for leaving not recorded",
    known_words="with a recorded reason or stay",
    also_counted={"direct_transfers": "direct_transfer"},
    mature=MATURE,
    estimator=Estimator.PROPORTION,
    better="lower",
    needs=("acute_event",),
    source="Hospital, residential or detox stay from day 1 to leaving, or transferred to higher care",
    reviewed=REVIEWED,
    notes=(
        "A safe move to more care is good care: read it beside readmission.",
        "Counted are stays known to us, and transfers to higher care written as the reason for leaving. Nobody is "
        "known to have had no stay where stays are not collected, so there is then no figure.",
    ),
)

step_up_rate = Measure(
    id="step_up_rate",
    title="Moves to higher care, per 1,000 days",
    question="How often did people in the program need a hospital or a higher level of care, per 1,000 days enrolled?",
    of_whom="of days enrolled",
    did="had moved to a hospital or higher care",
    no_family="No sentence: `step_up_during_episode` says it of people.",
    table=Table.EPISODE_OUTCOME,
    eligible={},
    lost={},
    numerator="case when step_up_day is not null or exit = 'transferred_higher' then 1 else 0 end",
    denominator="greatest(1, coalesce(exit_day, observed_days))",
    ratio_unit="day",
    per=1000,
    estimator=Estimator.RATE,
    better="lower",
    needs=("acute_event",),
    source="Events per enrolled days, exact Poisson interval (Garwood 1936)",
    reviewed=REVIEWED,
    notes=(
        "Everybody counts for the days enrolled so far, also people who are still in the program. A stay counts once.",
        "Counted are hospital, residential and detox stays known to us, and transfers to higher care.",
        "A safe move to more care is good care: read it beside readmission.",
    ),
)

return_to_program = Measure(
    id="return_to_program",
    title="Came back, 1 to 6 months after leaving",
    question=(
        "Of the people who left at least 180 days ago, how many were admitted to the same program again on days 31 to "
        "180?"
    ),
    of_whom="of people who left at least 180 days ago",
    did="were admitted to the same program again on days 31 to 180",
    family=(
        "Of every 100 people whose treatment here had ended for at least a month, about {per_100} came back to the "
        "same program one to six months later."
    ),
    table=Table.EPISODE_OUTCOME,
    # The end of a course: a step to the next level within 30 days is the same course of treatment.
    eligible={**WHO_LEFT, ALIVE: "discharge_reason is distinct from 'deceased'", ENDED: "is_course_last"},
    lost={**NOT_LEFT, ALIVE: "died in the program", ENDED: "went on in another episode within 30 days"},
    success="coalesce(days_to_return between 31 and 180, false)",
    window="days 31 to 180 after leaving",
    horizon="observed_days >= los_days + 180",
    horizon_words="left at least 180 days ago",
    estimator=Estimator.PROPORTION,
    better="neutral",
    source="Project decision: a new admission to the same program more than 30 and at most 180 days after leaving",
    reviewed=REVIEWED,
    notes=(
        "Stays less than 31 days apart are one course of treatment, whichever the programs. The same program is one "
        "of those in which that course was; an admission to another program is no return.",
        "Coming back early is not a failure of care for an illness that comes back: read it without a colour.",
    ),
)


def _step_down(day: int, family: str | None, no_family: str, caution: str) -> Measure:
    """Return the share who had a first session up to a day after they left a hospital."""
    outlived = f"alive {day} days after leaving the hospital"
    return Measure(
        id=f"step_down_start_{day}",
        title=f"First session within {day} days of hospital",
        question=(
            "Of the people who came to us within 30 days of leaving a hospital, how many had their first session here "
            f"within {day} days of leaving it?"
        ),
        of_whom="of people who came to us within 30 days of leaving a hospital",
        did=f"had a first session within {day} days of leaving the hospital",
        family=family,
        no_family=no_family,
        table=Table.EPISODE_OUTCOME,
        eligible={
            FROM_HOSPITAL: "days_since_inpatient is not null",
            outlived: f"coalesce(discharge_reason <> 'deceased' or days_since_inpatient + los_days > {day}, true)",
        },
        lost={
            FROM_HOSPITAL: "not from a hospital, as far as we know",
            outlived: f"died within {day} days of leaving the hospital",
        },
        success=f"coalesce(inpatient_to_session <= {day}, case when attended_sessions is not null then false end)",
        unknown_words=SESSIONS_NOT_RECORDED,
        known_words="with known sessions",
        window=f"days 1 to {day} after leaving the hospital",
        horizon=f"observed_days + days_since_inpatient >= {day}",
        horizon_words=f"left the hospital at least {day} days ago",
        estimator=Estimator.PROPORTION,
        better="higher",
        needs=("acute_event", "attendance"),
        source=(
            "In the style of HEDIS FUH, follow-up after hospitalization for mental illness (read in a secondary source)"
        ),
        reviewed=REVIEWED,
        profile="hedis_style",
        deviations=NOT_FUH,
        notes=(
            "FUH-style, among people who came to us: whoever left a hospital and was never admitted here, or was "
            "admitted later than 30 days after it, is not in it. HEDIS FUH counts everybody who left a hospital: the "
            "two figures cannot be compared.",
            caution,
            "Counted is the last inpatient stay that ended on the day of admission or up to 30 days before it, of "
            "whatever diagnosis; a stay counts for the next admission only. A session on the day of leaving the "
            "hospital does not count; whoever never came counts as no.",
            NO_SESSIONS_NOTE,
        ),
    )


step_down_start_7 = _step_down(
    7,
    family=(
        "Of every 100 people who came to us within a month of leaving a hospital, about {per_100} had their first "
        "session within a week of leaving it."
    ),
    no_family="",
    caution=(
        "Everybody in it was admitted here within 30 days, so the figure is higher than one of everybody who left a "
        "hospital would be."
    ),
)
step_down_start_30 = _step_down(
    30,
    family=None,
    no_family=(
        "No sentence: everybody in it came to us within 30 days, so nearly all of them had a first session by then."
    ),
    caution=(
        "Whoever is counted was admitted within 30 days, so nearly everybody had a first session by then: a figure "
        "near 100 % follows from who is counted, and is no achievement. A low one says that people were admitted and "
        "did not come."
    ),
)
