"""Use of substances week by week: endpoints of trials, as expressions over the pattern of weekly tests.

A pattern has one sign per week of the stay: `+` a positive test, `-` negative ones only, `*` both, `o` missed or
refused, `_` no test that says anything (not a week of these endpoints). Missed and mixed weeks count as positive
unless an endpoint is about missing weeks. Weeks after leaving are not in a pattern: in a trial they are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from analytics.measures.denominators import REVIEWED
from analytics.measures.substance_use import FOR_USE
from analytics.measures.types import Estimator, Measure, Table

# Missed and mixed weeks are read as positive.
AS_POSITIVE: Final = "translate(use_pattern, 'o*', '++')"
WEEKS: Final = "length(replace(use_pattern, '_', ''))"
NEGATIVE_WEEKS: Final = "(length(use_pattern) - length(replace(use_pattern, '-', '')))"

TESTED: Final = "had a week with a drug test"


def in_a_row(sign: str, weeks: int) -> str:
    """Return the regular expression of so many weeks of one sign, weeks without a test between them skipped."""
    return "_*".join([f"[{sign}]"] * weeks)


@dataclass(frozen=True)
class WeeklyEvent:
    """The first of so many consecutive weeks of one kind: when it began, and when nobody could have had it yet.

    `pattern` is the expression that is searched. The time of people without it is the last week in which it could
    have begun, as trials count it.
    """

    pattern: str
    sign: str
    weeks: int

    @property
    def happened(self) -> str:
        """Return whether it came, as SQL."""
        return f"regexp_matches({self.pattern}, '{in_a_row(self.sign, self.weeks)}')"

    @property
    def week(self) -> str:
        """Return the week in which it began, from 1, or the last in which it could have, as SQL."""
        before = f"regexp_extract({self.pattern}, '^(.*?){in_a_row(self.sign, self.weeks)}', 1)"
        return (
            f"case when {self.happened} then length({before}) + 1 "
            f"else greatest(length(use_pattern) - {self.weeks - 1}, 0) end"
        )


def complete_abstinence(first: int, last: int) -> str:
    """Return whether no week from `first` to `last` was positive, missed or mixed, as SQL."""
    return f"strpos(translate(substring(use_pattern, {first}, {last - first + 1}), 'o*', '++'), '+') = 0"


LONGEST_ABSTINENCE: Final = (
    f"coalesce(list_max(list_transform(regexp_extract_all({AS_POSITIVE}, '-(?:_*-)*'), "
    "lambda weeks: length(replace(weeks, '_', '')))), 0)"
)
LAST_FOUR: Final = "right(replace(use_pattern, '_', ''), 4)"
# The last week, and at least two of the three before it.
NEGATIVE_LAST_FOUR: Final = f"right({LAST_FOUR}, 1) = '-' and length(replace({LAST_FOUR}, '-', '')) <= 1"

FIRST_POSITIVE: Final = WeeklyEvent(AS_POSITIVE, "+", 1)
THREE_POSITIVE: Final = WeeklyEvent(AS_POSITIVE, "+", 3)
FOUR_POSITIVE: Final = WeeklyEvent(AS_POSITIVE, "+", 4)
FOUR_MISSING: Final = WeeklyEvent("use_pattern", "o", 4)

# The window of "complete abstinence": the second month of treatment.
WINDOW: Final = (5, 8)

# Definitions of the literature that weekly patterns of a program cannot answer, and why.
NOT_OFFERED: Final[dict[str, str]] = {
    "Ling 1998; Strain 1993, 1994, 1996; Preston 2000; Schottenfeld 2005": "need three scheduled tests a week",
    "Strain 1999; Zaks 1972; Comer 2006": "need two scheduled tests a week",
    "Mattick 2003 (two); Krupitsky 2004, 2006; Lee 2016": "need a test every second week by protocol",
    "Lofwall 2018; Haight 2019": "need the visits and random tests of their own protocol",
    "Johnson 1992": "needs the Monday sample of a fixed schedule",
    "Schwartz 2006; Woody 2008": "need tests in fixed weeks after leaving",
    "Eissenberg 1997; Jaffe 1972; Strang 2010, 2019": "need a trial of fixed length in which nobody is discharged",
    "Ling 1976": "a composite index whose weights are not given with it",
    "Pani 2000 (two); Petitjean 2001; Soyka 2008; Wolstein 2009; Fudala 2003": "shares of the same tests, which "
    "`uds_negative` and `use_percent_negative` give with their denominators",
    "CTN-0094 (Brandt and others)": "three weeks without use at any time is within `use_longest_abstinence`",
}

_ELIGIBLE = {FOR_USE: "is_sud", TESTED: f"{WEEKS} > 0"}
_LOST = {FOR_USE: "not treated for substance use", TESTED: "no week with a drug test"}
_NOTES = (
    "One sign per week of the stay; a week with a missed or refused test, or with both results, counts as positive.",
    "Weeks in which no test was booked are skipped. Weeks after leaving are not in it.",
)


def _endpoint(
    endpoint_id: str,
    title: str,
    question: str,
    did: str,
    source: str,
    *,
    better: Literal["higher", "lower"] = "higher",
    enough: tuple[str, str, str] | None = None,
    success: str | None = None,
    amount: str | None = None,
    event: WeeklyEvent | None = None,
    family: str | None = None,
    window: str | None = None,
    notes: tuple[str, ...] = _NOTES,
) -> Measure:
    """Return the measure of one endpoint; `enough` is a further step: label, condition, words for those lost."""
    eligible, lost = dict(_ELIGIBLE), dict(_LOST)
    if enough is not None:
        eligible[enough[0]], lost[enough[0]] = enough[1], enough[2]
    of_the = "of the people" if amount else "of people"
    return Measure(
        id=endpoint_id,
        title=title,
        question=question,
        of_whom=f"{of_the} treated for substance use with weekly tests",
        did=did,
        family=family,
        no_family="" if family else "No sentence: an endpoint of trials, for readers of trials.",
        window=window,
        table=Table.EPISODE_OUTCOME,
        eligible=eligible,
        lost=lost,
        success=success,
        amount=amount,
        amount_unit="week" if amount else "day",
        time=event.week if event else None,
        cause=event.happened if event else None,
        time_unit="week" if event else "day",
        read_at=(4, 8, 12) if event else (),
        estimator=Estimator.SURVIVAL if event else Estimator.MEDIAN if amount else Estimator.PROPORTION,
        better=better,
        needs=("substance_use",),
        source=source,
        reviewed=REVIEWED,
        notes=notes,
    )


use_longest_abstinence = _endpoint(
    "use_longest_abstinence",
    "Longest time without use, in weeks",
    "How many weeks was the longest time without use, for half of the people at most?",
    "had a longest time without use of",
    "Schottenfeld and others 2008: longest run of negative weeks, missing as positive",
    amount=LONGEST_ABSTINENCE,
)

use_complete_abstinence = _endpoint(
    "use_complete_abstinence",
    "No use in weeks 5 to 8",
    "Of the people who stayed into week 5, how many had no week with use or a missed test from week 5 to 8?",
    "had no use from week 5 to 8",
    "Krupitsky and others 2011: confirmed abstinence over a window of weeks, missing as positive",
    enough=("stayed into week 5", "length(use_pattern) >= 5", "left before week 5"),
    success=complete_abstinence(*WINDOW),
    family=(
        "Of every 100 people treated for substance use who stayed into week 5, about {per_100} had no positive and no "
        "missed test in weeks 5 to 8, for as long as they stayed."
    ),
    window=f"weeks {WINDOW[0]} to {WINDOW[1]} of the stay",
)

use_negative_last_four = _endpoint(
    "use_negative_last_four",
    "Clear at the end of the stay",
    "Of the people with four tested weeks, how many were clear in the last week and two of the three before?",
    "were clear in the last week and two of the three before",
    "Weiss and others 2011 (CTN-0030): last week and at least two of the previous three, missing as positive",
    enough=("tested in four weeks", f"{WEEKS} >= 4", "fewer than four weeks with a test"),
    success=NEGATIVE_LAST_FOUR,
    family=(
        "Of every 100 people treated for substance use with four tested weeks, about {per_100} "
        "were clear at the end of the stay."
    ),
    window="the last four tested weeks of the stay",
)

use_first_positive = _endpoint(
    "use_first_positive",
    "Weeks until the first use",
    "How many weeks pass until the first week with use or a missed test?",
    "had no week with use yet",
    "Schottenfeld and others 2008, Mokri and others 2016: time to the first positive, missing as positive",
    event=FIRST_POSITIVE,
)

use_three_positive = _endpoint(
    "use_three_positive",
    "Weeks until three weeks of use in a row",
    "How many weeks pass until three weeks in a row have use or a missed test?",
    "had no three weeks of use in a row yet",
    "Schottenfeld and others 2008: time to three consecutive positives, missing as positive",
    event=THREE_POSITIVE,
)

use_four_positive = _endpoint(
    "use_four_positive",
    "Weeks until four weeks of use in a row",
    "How many weeks pass until four weeks in a row have use or a missed test?",
    "had no four weeks of use in a row yet",
    "CTN-0094: time to relapse, four consecutive weeks, missing as positive",
    event=FOUR_POSITIVE,
)

use_four_missing = _endpoint(
    "use_four_missing",
    "Weeks until four missed weeks in a row",
    "How many weeks pass until no test was given in four booked weeks in a row?",
    "had no four missed weeks in a row yet",
    "CTN-0094: time to dropout, four consecutive weeks without a sample",
    event=FOUR_MISSING,
    notes=("Only weeks in which a test was booked and not given are missing; that has to be recorded.", _NOTES[1]),
)

use_percent_negative = Measure(
    id="use_percent_negative",
    title="Weeks without use",
    question="Of all weeks with a booked test, how many were clear?",
    of_whom="of weeks with a booked test",
    did="were clear",
    family="In about {per_100} of every 100 weeks with a test, all tests were clear.",
    table=Table.EPISODE_OUTCOME,
    eligible=_ELIGIBLE,
    lost=_LOST,
    numerator=NEGATIVE_WEEKS,
    denominator=WEEKS,
    ratio_unit="week",
    estimator=Estimator.RATIO,
    better="higher",
    needs=("substance_use",),
    minimum_for_headline=50,
    source="Fiellin and others 2006: percent of negative weeks, missing as positive",
    reviewed=REVIEWED,
    notes=_NOTES,
)
