"""Life after treatment: use since leaving, and work, housing, arrests and mutual help half a year after."""

from __future__ import annotations

from typing import Literal

from analytics.measures.denominators import LEFT, NOT_LEFT, REVIEWED
from analytics.measures.substance_use import ALIVE, ALL_DUE, CALLS, FOR_USE, IN_A_CONTROLLED_PLACE, due_for_call
from analytics.measures.types import Estimator, Measure, Table

SEEN = "seen at least once after leaving"
DAY = 180

_ELIGIBLE, _LOST = due_for_call(DAY)
_FREE_TO_USE, _NOT_FREE_TO_USE = due_for_call(DAY, about_use=True)

abstinence_continuous = Measure(
    id="abstinence_continuous",
    title="No use at all since leaving, half a year",
    question="Half a year after leaving, how many of the people due for a call had not used at all since?",
    of_whom="of people treated for substance use who left",
    did="had not used at all since leaving",
    family=(
        "Half a year after leaving, about {per_100} of every 100 people treated for substance use had not used at all "
        "since then, as far as they told us. The others had used, did not answer, or could not be reached. People who "
        "had died, lived in jail or a hospital, or had not agreed to be called are not counted."
    ),
    table=Table.EPISODE_OUTCOME,
    eligible={FOR_USE: "is_sud", **_FREE_TO_USE},
    lost={FOR_USE: "not treated for substance use", **_NOT_FREE_TO_USE},
    success="followup_180_continuous",
    wider=ALL_DUE,
    unknown_words="not reached or not asked, and not seen to use",
    known_words="with an answer, or seen to have used",
    window="from leaving to day 240, when the time of the six-month call is over",
    horizon="observed_days >= los_days + 240",
    horizon_words="left at least 240 days ago",
    missing="failure",
    weighted=True,
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("followup",),
    source="Project decision: no use since discharge at any contact or test until the six-month call's time is over",
    reviewed=REVIEWED,
    notes=(
        "Any admission of use, any answer of less than 30 days without, and any positive test since leaving is use, "
        "up to day 240 and whether or not the person was reached for the six-month call. No use is what a person said "
        "at that call, when nothing speaks against it.",
        "Of people who were not reached only use can be known, so of those known the share is on the low side.",
        IN_A_CONTROLLED_PLACE,
        "At a call before day 30 the question about the last 30 days reaches back into the stay: its days of use count "
        "only when they do not all fit before leaving.",
        "It is never above the share without use in the past month.",
    ),
)

time_to_first_use = Measure(
    id="time_to_first_use",
    title="Days until the first use after leaving",
    question="How long after leaving did people first use again, as far as calls and tests saw it?",
    of_whom="of people treated for substance use and seen again",
    did="had not been seen to use",
    no_family="No sentence: people who use again drop out of sight, so the time is too good to be told alone.",
    table=Table.EPISODE_OUTCOME,
    eligible={FOR_USE: "is_sud", LEFT: "is_closed", SEEN: "coalesce(first_use_day, last_clean_day) is not null"},
    lost={
        FOR_USE: "not treated for substance use",
        LEFT: NOT_LEFT[LEFT],
        SEEN: "never seen again: nothing is known of them",
    },
    time="coalesce(first_use_day, last_clean_day)",
    cause="first_use_day is not null",
    read_at=(30, 90, 180),
    window="from leaving to the last contact",
    estimator=Estimator.SURVIVAL,
    better="higher",
    needs=("followup",),
    source="Kaplan & Meier 1958, from discharge; censored at the last contact without use",
    reviewed=REVIEWED,
    notes=(
        "People who relapse are harder to reach, so those who drop out of sight are not like the others: the curve is "
        "too good. How many were never seen again stands in the ladder; time_to_use_or_loss counts dropping out of "
        "sight like use, and the truth lies between the two curves.",
        "The day is that of the call or test that saw the use, which may have been earlier. Days of use told at a call "
        "before day 30 count only when they do not all fit before leaving.",
    ),
)


# Leaving is the first contact. A recorded reach or custody tells where somebody is, whatever they said of use.
LAST_SEEN_CLEAN = "coalesce(last_clean_day, 0)"


def _out_of_sight() -> str:
    """Return whether a call was missed after the last contact without use and nobody was found at a later one."""
    missed = []
    for call, (first, last, _) in CALLS.items():
        found = " and ".join(
            f"followup_{later}_reached is not true and followup_{later}_outcome is distinct from 'incarcerated'"
            for later in CALLS
            if later >= call
        )
        missed.append(f"({LAST_SEEN_CLEAN} < {first} and observed_days >= los_days + {last} and {found})")
    return " or ".join(missed)


_ALIVE = due_for_call(max(CALLS))[0][ALIVE]
_FIRST_CALL_OVER = CALLS[30][1]

time_to_use_or_loss = Measure(
    id="time_to_use_or_loss",
    title="Days until first use or loss of contact",
    question="How long after leaving did people stay in contact without having been seen to use?",
    of_whom="of people treated for substance use who left",
    did="were in contact and not seen to use",
    no_family="No sentence: being out of sight is not the same as using.",
    table=Table.EPISODE_OUTCOME,
    eligible={FOR_USE: "is_sud", LEFT: "is_closed"},
    lost={FOR_USE: "not treated for substance use", LEFT: NOT_LEFT[LEFT]},
    time=f"coalesce(first_use_day, {LAST_SEEN_CLEAN})",
    cause=f"first_use_day is not null or ({_ALIVE} and ({_out_of_sight()}))",
    read_at=(30, 90, 180),
    window="from leaving to the last contact",
    horizon=f"observed_days >= los_days + {_FIRST_CALL_OVER}",
    horizon_words=f"left at least {_FIRST_CALL_OVER} days ago",
    estimator=Estimator.SURVIVAL,
    better="higher",
    needs=("followup",),
    source="Kaplan & Meier 1958, from discharge; loss of contact counted as an event (worst case)",
    reviewed=REVIEWED,
    notes=(
        "The other end of time_to_first_use: there whoever drops out of sight is watched no longer, here it counts "
        "like use, on the day of the last contact without use. Those never seen again are lost on day 0, the day of "
        "leaving. The truth lies between the two curves; this one is no estimate of use.",
        "Out of sight is who was missed at a call that was due after the last contact without use, once the days of "
        "that call were over, and was found at no later one. People who had not agreed to be called are out of sight, "
        "too.",
        "People who died, and people found in custody at the last call, are not lost: they are watched until their "
        "last contact without use.",
        "Whoever left so recently that the first call is not yet over could not have been missed, so they are not in "
        "it. At later calls that are not over, people are watched until their last contact.",
        "The day of a use is that of the call or test that saw it, which may have been earlier.",
    ),
)


_NOT_IN_IT = (
    "People who had died, were in custody when the call was due, or had not agreed to be called are rungs of the "
    "ladder and not in the figure."
)


def _change(
    measure_id: str,
    title: str,
    state: str,
    before: str,
    after: str,
    better: Literal["higher", "lower"] = "higher",
    notes: tuple[str, ...] = (),
) -> Measure:
    """Return the share in a state of life at the six-month call, beside the same people's at admission."""
    return Measure(
        id=measure_id,
        title=title,
        question=f"Half a year after leaving, how many of those reached {state}, and how many at admission?",
        of_whom="of people due for the six-month call",
        did=f"{state}, half a year later",
        family=f"Half a year after leaving, about {{per_100}} of every 100 people we reached {state}.",
        table=Table.EPISODE_OUTCOME,
        eligible=_ELIGIBLE,
        lost=_LOST,
        success=after,
        unknown_words="not reached, or no answer",
        known_words="with an answer",
        paired=(before, after),
        weighted=True,
        window="the answers at admission and on days 150 to 240 after leaving",
        horizon="observed_days >= los_days + 240",
        horizon_words="left at least 240 days ago",
        estimator=Estimator.PROPORTION,
        better=better,
        needs=("followup",),
        source="SAMHSA National Outcome Measures: at admission and at follow-up",
        reviewed=REVIEWED,
        notes=(
            "The change compares the same people before and after; those without both answers are not in it.",
            _NOT_IN_IT,
            *notes,
        ),
    )


employed_change = _change(
    "employed_change", "Working or in school, half a year on", "worked or were in school",
    "employed_admission", "followup_180_employed",
)  # fmt: skip
housing_change = _change(
    "housing_change", "Stable housing, half a year on", "had stable housing",
    "housed_admission", "followup_180_housed",
)  # fmt: skip
arrest_change = _change(
    "arrest_change", "Arrested, half a year on", "had been arrested in the month before",
    "arrested_admission", "followup_180_arrested", better="lower",
    notes=("Whoever was in custody when the call was due is left out: the worst of what this figure is about.",),
)  # fmt: skip

meetings_followup = Measure(
    id="meetings_followup",
    title="Recovery meetings, half a year on",
    question="Half a year after leaving, how many of those reached went to meetings of mutual help?",
    of_whom="of people treated for substance use due for the six-month call",
    did="went to recovery meetings, half a year later",
    family=(
        "Half a year after leaving, about {per_100} of every 100 people treated for substance use whom we reached went "
        "to recovery meetings."
    ),
    table=Table.EPISODE_OUTCOME,
    eligible={FOR_USE: "is_sud", **_ELIGIBLE},
    lost={FOR_USE: "not treated for substance use", **_LOST},
    success="followup_180_meetings",
    unknown_words="not reached, or no answer",
    known_words="with an answer",
    weighted=True,
    window="the answer on days 150 to 240 after leaving",
    horizon="observed_days >= los_days + 240",
    horizon_words="left at least 240 days ago",
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("followup",),
    source="SAMHSA National Outcome Measures: attendance at self-help programs; here at follow-up only",
    reviewed=REVIEWED,
    notes=(
        "One meeting or more counts. Nobody asks at admission, so there is no change to give; nor do the files hold "
        "an answer on support by family and friends, the other half of that outcome measure.",
        _NOT_IN_IT,
    ),
)
