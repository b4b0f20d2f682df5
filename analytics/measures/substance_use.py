"""Use of alcohol and drugs: no use before leaving, clear tests, and who could be reached later."""

from __future__ import annotations

from analytics.measures.denominators import LEFT, MATURE, NOT_LEFT, REVIEWED, WHO_LEFT
from analytics.measures.types import Estimator, Measure, Table

FOR_USE = "treated for substance use"
TESTED = "had a drug test booked"
ALIVE, FREE, AGREED = "alive", "not in custody", "agreed to be called"
AT_LARGE = "lived where they could have used"

abstinence_discharge = Measure(
    id="abstinence_discharge",
    title="No use in the month before leaving",
    question="Of the people treated for substance use who left, how many had not used in the 30 days before?",
    of_whom="of people treated for substance use who left",
    did="had not used in the month before leaving",
    family=(
        "Of every 100 people treated for substance use who left, about {per_100} said that they had not "
        "used in the month before. The others had used, or we do not know."
    ),
    table=Table.EPISODE_OUTCOME,
    eligible={FOR_USE: "is_sud", **WHO_LEFT},
    lost={FOR_USE: "not treated for substance use", **NOT_LEFT},
    success="abstinent_discharge",
    unknown_words="no answer at discharge",
    known_words="with an answer at discharge",
    paired=("abstinent_admission", "abstinent_discharge"),
    also_counted={
        "controlled_environment": "controlled_admission",
        "stay_under_30_days": "los_days < 30",
    },
    window="the last answer from 14 days before leaving to 7 days after, about the 30 days before it",
    mature=MATURE,
    missing="failure",
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("substance_use",),
    source="NOMs and TEDS (use in the past 30 days, at admission and at discharge)",
    reviewed=REVIEWED,
    notes=(
        "No answer at discharge counts as using. That is a convention, not the truth: of those with an "
        "answer, and the best case, stand beside it.",
        "The change compares the same people before and after. People who came from a hospital, a "
        "residential program or jail could not use there; how many is given.",
        "The answer at discharge is the last one from 14 days before leaving to 7 days after; one from the first week "
        "is the answer at admission and is not read twice.",
        "In a stay under 30 days the question at discharge looks back to before admission; how many is given.",
    ),
)

uds_negative = Measure(
    id="uds_negative",
    title="Drug tests that were negative",
    question="Of the drug tests with a result, how many were negative?",
    of_whom="of drug tests with a result",
    did="were negative",
    family="Of every 100 drug tests, about {per_100} were clear.",
    table=Table.EPISODE_OUTCOME,
    eligible={TESTED: "tests_negative + tests_positive + tests_missed > 0"},
    lost={TESTED: "no drug test"},
    estimator=Estimator.RATIO,
    numerator="tests_negative",
    denominator="tests_negative + tests_positive",
    ratio_variants={
        "missed or refused counted as positive": (
            "tests_negative",
            "tests_negative + tests_positive + tests_missed",
        ),
        "scheduled tests alone": (
            "tests_scheduled_negative",
            "tests_scheduled_negative + tests_scheduled_positive",
        ),
        "tests at random alone": (
            "tests_random_negative",
            "tests_random_negative + tests_random_positive",
        ),
    },
    ratio_unit="test",
    better="higher",
    needs=("substance_use",),
    minimum_for_headline=50,
    source="Ratio of sums, Cochran, Sampling Techniques, 1977, ch. 6",
    reviewed=REVIEWED,
    notes=(
        "A test is one person, day and kind of sample; any positive makes it positive. A positive for a "
        "prescribed medicine and an invalid sample count as neither.",
        "Scheduled tests and tests at random are also given apart: who knows the day can prepare for it. A test is "
        "scheduled when any part of it says so; where the file does not say, it is in neither, so the two may add up "
        "to fewer tests than all.",
        "Tests of one stay are alike, so the interval rests on stays, not on tests.",
    ),
)


# Days after leaving on which a call is due: from when to when an interview counts, and the words for it.
CALLS = {
    30: (21, 45, "one month"),
    90: (75, 120, "three months"),
    180: (150, 240, "six months"),
    365: (335, 425, "a year"),
}


# Who never agreed is not reached either; without them a program that asks few would look as good as one that asks all.
ALL_DUE = {"counting also people who had not agreed to be called": AGREED}

IN_A_CONTROLLED_PLACE = (
    "People who spent time of the month before the call in jail, a hospital or another controlled place are a rung of "
    "their own, whatever they answered: they were not free to use. The files do not say how much of the month."
)


def due_for_call(day: int, *, about_use: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    """Return the steps of people due for a call, and who falls out at each.

    `about_use` : of a measure of use, which says nothing of a month in a place where nobody can use.
    """
    outcome = f"followup_{day}_outcome"
    # Who had died by an earlier call has died by this one, whether or not anybody wrote it down again.
    died = ["discharge_reason", *(f"followup_{call}_outcome" for call in CALLS if call <= day)]
    about = {AT_LARGE: f"followup_{day}_controlled is distinct from true"} if about_use else {}
    eligible = {
        LEFT: "is_closed",
        ALIVE: " and ".join(f"{column} is distinct from 'deceased'" for column in died),
        FREE: f"{outcome} is distinct from 'incarcerated'",
        **about,
        AGREED: f"{outcome} is distinct from 'no_consent' and consent_followup is distinct from false",
    }
    lost = {
        LEFT: NOT_LEFT[LEFT],
        ALIVE: "died",
        FREE: "in custody when the call was due",
        AT_LARGE: "in jail, hospital or another controlled place in the month before",
        AGREED: "had not agreed to be called",
    }
    return eligible, {step: lost[step] for step in eligible}


def _reached(day: int) -> Measure:
    """Return the share reached for the call that was due."""
    first, last, later = CALLS[day]
    eligible, lost = due_for_call(day)
    return Measure(
        id=f"followup_{day}_reach",
        title=f"Reached {later} later",
        question=f"Of the people due for the call {later} after leaving, how many did we reach?",
        of_whom=f"of people due for the call {later} after leaving",
        did="were reached",
        family=f"{later.capitalize()} later we reached about {{per_100}} of every 100 people we were to call.",
        table=Table.EPISODE_OUTCOME,
        eligible=eligible,
        lost=lost,
        success=f"followup_{day}_reached",
        wider=ALL_DUE,
        unknown_words="no call recorded",
        window=f"days {first} to {last} after leaving",
        horizon=f"observed_days >= los_days + {last}",
        horizon_words=f"left at least {last} days ago",
        missing="failure",
        estimator=Estimator.PROPORTION,
        better="higher",
        needs=("followup",),
        minimum_for_headline=20,
        source=f"SAMHSA GPRA follow-up (80 % asked for); here from discharge, days {first} to {last}",
        reviewed=REVIEWED,
        notes=(
            "Due are all who left, not only those who completed. Deaths and custody are known only where the outcome "
            "of a call is recorded, no consent there or with the stay; each is a rung of the ladder. A death recorded "
            "at an earlier call counts at every later one.",
            "Given beside it: of all due, with the people who had not agreed to be called.",
            "What is said about those reached is not true of those not reached.",
        ),
    )


def _abstinent(day: int) -> Measure:
    """Return the share without use in the month before the call, counting people not reached as using."""
    first, last, later = CALLS[day]
    eligible, lost = due_for_call(day, about_use=True)
    return Measure(
        id=f"abstinence_followup_{day}",
        title=f"No use last month, {later} later",
        question=(
            f"{later.capitalize()} after leaving, how many of the people treated for substance use "
            "who were due for a call had not used in the month before?"
        ),
        of_whom="of people treated for substance use who left",
        did=f"had not used in the month before, {later} later",
        family=(
            f"{later.capitalize()} after leaving, about {{per_100}} of every 100 people treated for substance use told "
            "us that they had not used in the last month. The others had used, did not answer, or "
            "could not be reached. "
            "People who had died, lived in jail or a hospital, or had not agreed to be called are not counted."
        ),
        table=Table.EPISODE_OUTCOME,
        eligible={FOR_USE: "is_sud", **eligible},
        lost={FOR_USE: "not treated for substance use", **lost},
        success=f"followup_{day}_abstinent",
        wider=ALL_DUE,
        unknown_words="not reached, or no answer",
        window=f"a call on days {first} to {last} after leaving, about the 30 days before it",
        known_words="with an answer",
        horizon=f"observed_days >= los_days + {last}",
        horizon_words=f"left at least {last} days ago",
        missing="failure",
        weighted=True,
        estimator=Estimator.PROPORTION,
        better="higher",
        needs=("followup",),
        source=f"NAATP outcomes toolkit and GPRA style: 30 days without use, asked on days {first} to {last}",
        reviewed=REVIEWED,
        notes=(
            "Everybody who left is due, not only those who completed. Not reached counts as using: a convention, not "
            "the truth (Hallgren & Witkiewitz 2013). Of those with an answer, and the best case, stand beside it; so "
            "does the share of all due, with the people who had not agreed to be called.",
            "A drug test that was positive in the 30 days before the call beats what was said.",
            "Where the days were not asked, what was said of use since leaving counts, when it answers the question.",
            IN_A_CONTROLLED_PLACE,
        ),
    )


GPRA_FIRST, GPRA_LAST = 150, 245  # GPRA: one month before to two months after half a year from admission
LEFT_IN_TIME = f"had left by day {GPRA_LAST}"


def _no_call(outcome: str, unless: str) -> str:
    """Return that no call had the outcome, as SQL; `unless` is about `due`, the day from admission it was due on."""
    return " and ".join(
        f"(followup_{call}_outcome is distinct from '{outcome}' or {unless.replace('due', f'los_days + {call}')})"
        for call in CALLS
    )


# Whoever was reached at another call in these days was free, and agreed.
_OUTSIDE = f"due not between {GPRA_FIRST} and {GPRA_LAST} or gpra_reached is true"

followup_30_reach = _reached(30)
followup_90_reach = _reached(90)
followup_180_reach = _reached(180)
followup_365_reach = _reached(365)
followup_gpra_reach = Measure(
    id="followup_gpra_reach",
    title="Reached six months from admission (GPRA)",
    question="Of the people due for an interview half a year after admission, how many did we reach?",
    of_whom="of people due for an interview half a year after admission",
    did="were reached",
    family=(
        "Half a year after they had started we reached about {per_100} of every 100 people who had left by then and "
        "whom we were to call."
    ),
    table=Table.EPISODE_OUTCOME,
    eligible={
        LEFT: "is_closed",
        LEFT_IN_TIME: f"los_days <= {GPRA_LAST}",
        ALIVE: f"discharge_reason is distinct from 'deceased' and {_no_call('deceased', f'due > {GPRA_LAST}')}",
        FREE: _no_call("incarcerated", _OUTSIDE),
        AGREED: f"{_no_call('no_consent', _OUTSIDE)} and consent_followup is distinct from false",
    },
    lost={
        LEFT: NOT_LEFT[LEFT],
        LEFT_IN_TIME: f"left after day {GPRA_LAST}: the files hold no interviews during a stay",
        ALIVE: "died",
        FREE: "in custody when the call was due",
        AGREED: "had not agreed to be called",
    },
    success="gpra_reached",
    wider=ALL_DUE,
    unknown_words="no call recorded in these days",
    window=f"days {GPRA_FIRST} to {GPRA_LAST} after admission",
    horizon=f"observed_days >= {GPRA_LAST}",
    horizon_words=f"admitted at least {GPRA_LAST} days ago",
    missing="failure",
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("followup",),
    minimum_for_headline=20,
    source=f"SAMHSA GPRA 6-month follow-up (80 % asked for): days {GPRA_FIRST} to {GPRA_LAST} after admission",
    reviewed=REVIEWED,
    notes=(
        "followup_180_reach counts half a year from leaving; this counts it from admission, as GPRA does, and takes "
        "the interview of whichever call was held in these days. Of a longer stay it is an earlier call.",
        "GPRA also interviews people who are still in the program on these days. The files hold interviews after "
        "leaving only, so those people are a rung of the ladder and in no part of the figure.",
        "Deaths and custody are known only where the outcome of a call is recorded, no consent there or with the stay. "
        "A death counts when its call was due by the last of these days, custody and no consent when it was due in "
        "them and nobody was reached at another call.",
        "Given beside it: of all due, with the people who had not agreed to be called.",
    ),
)
abstinence_followup_30 = _abstinent(30)
abstinence_followup_90 = _abstinent(90)
abstinence_followup_180 = _abstinent(180)
abstinence_followup_365 = _abstinent(365)
