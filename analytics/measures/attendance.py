"""Coming to sessions: ratios of booked sessions, clustered in episodes."""

from __future__ import annotations

from analytics.measures.denominators import (
    CAME_OR_NOT_KNOWN,
    MATURE,
    NO_SESSIONS_NOTE,
    NOT_LEFT,
    REVIEWED,
    SESSIONS_NOT_RECORDED,
    WHO_LEFT,
)
from analytics.measures.types import Estimator, Measure, Table

# Cancelled by the person with less than a day's notice counts as booked; where notice is not recorded there
# are none of these, and the ratio is attended / (attended + no-show).
BOOKED = "attended_sessions + no_show_sessions + cancelled_late_sessions"
ALL_CLIENT_SIDE = "attended_sessions + no_show_sessions + cancelled_client_sessions"

# Missed or cancelled while in hospital; in none of the columns above, and nothing where readmissions are not collected.
IN_HOSPITAL = "coalesce(hospital_sessions, 0)"
LEFT_OUT = {"stays with sessions missed in hospital, which are left out": f"{IN_HOSPITAL} > 0"}

HAD_A_SESSION = "had a session booked"

attendance = Measure(
    id="attendance",
    title="Sessions attended",
    question="Of the sessions people were booked for, how many did they come to?",
    of_whom="of booked sessions",
    did="were attended",
    family="Of every 100 sessions people were booked for, they came to about {per_100}.",
    table=Table.EPISODE_OUTCOME,
    eligible={HAD_A_SESSION: f"{ALL_CLIENT_SIDE} > 0"},
    lost={HAD_A_SESSION: "no session recorded outside hospital"},
    estimator=Estimator.RATIO,
    numerator="attended_sessions",
    denominator=BOOKED,
    ratio_variants={
        "counting every cancellation by the person": ("attended_sessions", ALL_CLIENT_SIDE),
        "counting also what was missed or cancelled in hospital": ("attended_sessions", f"{BOOKED} + {IN_HOSPITAL}"),
    },
    also_counted=LEFT_OUT,
    ratio_unit="session",
    better="higher",
    needs=("attendance",),
    minimum_for_headline=200,
    source="Ratio of sums, Cochran, Sampling Techniques, 1977, ch. 6",
    reviewed=REVIEWED,
    notes=(
        "Counted are attended sessions, no-shows and cancellations with less than 24 hours' notice. Without "
        "recorded notice no cancellation counts.",
        "Sessions that the program cancelled never count.",
        "Where readmissions are recorded, sessions missed or cancelled on the days of a hospital, residential or detox "
        "stay, the first and the last included, are left out. A session that somebody came to on such a day took "
        "place and counts. Such a stay without a recorded end lasts until the person leaves the program if they never "
        "came again, and otherwise one day.",
        "Sessions of one stay are alike, so the interval rests on stays, not on sessions. The mean of stays "
        "is beside it: in the pooled figure long stays weigh more.",
    ),
)

no_show = Measure(
    id="no_show",
    title="Sessions missed without notice",
    question="Of the sessions people were booked for, how many did they miss without cancelling?",
    of_whom="of booked sessions",
    did="were missed without notice",
    family="Of every 100 sessions people were booked for, about {per_100} were missed without notice.",
    table=Table.EPISODE_OUTCOME,
    eligible={HAD_A_SESSION: f"{ALL_CLIENT_SIDE} > 0"},
    lost={HAD_A_SESSION: "no session recorded outside hospital"},
    estimator=Estimator.RATIO,
    numerator="no_show_sessions",
    denominator=BOOKED,
    ratio_variants={"missed or cancelled within 24 hours": ("no_show_sessions + cancelled_late_sessions", BOOKED)},
    also_counted=LEFT_OUT,
    ratio_unit="session",
    better="lower",
    needs=("attendance",),
    minimum_for_headline=200,
    source="Ratio of sums, Cochran, Sampling Techniques, 1977, ch. 6",
    reviewed=REVIEWED,
    notes=(
        "The sessions counted are those of the attendance measure, so the two can be read together. Sessions missed in "
        "hospital are left out in the same way.",
    ),
)

STARTED = "came to a first session"
FULL_WEEKS = "stayed a full week"
# Not known where sessions are not recorded, and then neither are the hours.
HAD_FULL_WEEK = "coalesce(full_weeks > 0, true)"

dose_adherence = Measure(
    id="dose_adherence",
    title="Weeks with the usual minimum hours",
    question="In how many of the full weeks people stayed did they get the usual minimum hours of their level of care?",
    of_whom="of full weeks in the program",
    did="had the usual minimum hours",
    family=(
        "In about {per_100} of every 100 weeks people got at least the usual minimum hours of treatment (9 a week, 6 "
        "for teens, 20 in partial hospital)."
    ),
    table=Table.EPISODE_OUTCOME,
    eligible={FULL_WEEKS: HAD_FULL_WEEK},
    lost={FULL_WEEKS: "stayed less than a week"},
    estimator=Estimator.RATIO,
    numerator="weeks_at_dose",
    denominator="full_weeks",
    unknown_words="hours not recorded, or no usual minimum",
    known_words="with known hours",
    ratio_unit="week",
    better="higher",
    needs=("attendance",),
    source="ASAM level 2.1: 9 hours a week, adolescents 6; level 2.5: 20 hours",
    reviewed=REVIEWED,
    notes=(
        "A week is seven days from admission; the last, unfinished week does not count. At least 9 hours, 6 in "
        "programs for adolescents, 20 in partial hospital; what a program plans for itself is not asked.",
        "Where an attended session has no minutes, its week has the minimum if the other sessions reach it, and is "
        "otherwise not known; with one full week not known, the stay is not. Levels of care without a usual minimum "
        "are not known either.",
        "Tapers are not recorded, so planned shorter weeks before leaving count as short. Weeks in hospital count as "
        "short too.",
        "Mean hours a week and total hours: `hours_per_week`, `hours_total`.",
    ),
)

HOURS_NOT_RECORDED = "hours not recorded"
_OF_STAYS = f"Each stay counts once, whatever its length. Whoever never came had no hours. {NO_SESSIONS_NOTE}"
_BY_LEVEL = "Levels of care plan different hours: split by level of care before comparing."

hours_per_week = Measure(
    id="hours_per_week",
    title="Hours of treatment a week",
    question="How many hours of treatment a week did people get in the full weeks they stayed, on average?",
    of_whom="of people who left after at least a full week",
    did="had this many hours in a full week of their stay on average",
    family="People whose time here has ended had about {value} hours of treatment a week on average.",
    table=Table.EPISODE_OUTCOME,
    eligible={**WHO_LEFT, FULL_WEEKS: HAD_FULL_WEEK},
    lost={**NOT_LEFT, FULL_WEEKS: "stayed less than a week"},
    amount="full_week_minutes / (60e0 * full_weeks)",
    amount_unit="hour",
    unknown_words=HOURS_NOT_RECORDED,
    known_words="with known hours",
    mature=MATURE,
    estimator=Estimator.MEAN,
    better="neutral",
    needs=("attendance",),
    source="Mean of stays with the t interval; ASAM level 2.1: 9 to 19 hours a week, adolescents 6 to 19; level 2.5: "
    "20 hours",
    reviewed=REVIEWED,
    notes=(
        "A week is seven days from admission; the last, unfinished week does not count. Weeks without a session, and "
        "weeks in hospital, count with the hours that there were.",
        "Where an attended session of a full week has no minutes, the hours of that stay are not known.",
        _OF_STAYS,
        _BY_LEVEL,
    ),
)

hours_total = Measure(
    id="hours_total",
    title="Hours of treatment in all",
    question="How many hours of treatment did people get in their whole stay, on average?",
    of_whom="of people who left the program",
    did="had this many hours in their stay on average",
    family="People whose time here has ended had about {value} hours of treatment in all on average.",
    table=Table.EPISODE_OUTCOME,
    eligible=WHO_LEFT,
    lost=NOT_LEFT,
    amount="attended_minutes / 60e0",
    amount_unit="hour",
    unknown_words=HOURS_NOT_RECORDED,
    known_words="with known hours",
    mature=MATURE,
    estimator=Estimator.MEAN,
    better="neutral",
    needs=("attendance",),
    source="Mean of stays with the t interval",
    reviewed=REVIEWED,
    notes=(
        "Hours of all attended sessions, also of the last, unfinished week. Where one of them has no minutes, the "
        "hours of that stay are not known.",
        _OF_STAYS,
        "Long plans give more hours: split by planned length before comparing.",
        _BY_LEVEL,
    ),
)

early_engagement = Measure(
    id="early_engagement",
    title="Came back at least twice in a month",
    question="Of the people who came to a first session, how many came on two or more further days in the next 34?",
    of_whom="of people who came to a first session",
    did="came on at least two more days within 34 days",
    family="Of every 100 people who started, about {per_100} came back at least twice in the month after.",
    table=Table.EPISODE_OUTCOME,
    eligible={STARTED: CAME_OR_NOT_KNOWN},
    lost={STARTED: "never came to a session"},
    success="early_attended_days >= 2",
    unknown_words=SESSIONS_NOT_RECORDED,
    known_words="with known sessions",
    window="34 days after the first attended session",
    horizon="observed_days >= coalesce(first_attended_day, 0) + 34",
    horizon_words="started at least 34 days ago",
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("attendance",),
    source="In the style of HEDIS IET engagement; days with a session count, not services",
    reviewed=REVIEWED,
    notes=("Several groups on one day are one day.", NO_SESSIONS_NOTE),
)
