"""Sentences say number, of whom, doubt; they follow the estimator and never praise or claim a cause."""

import dataclasses
import math
import re

import pytest

from analytics.disclosure import Disclosed, internal_view
from analytics.errors import MeasureProblem
from analytics.measures.results import STILL_IN, DayDifference, Estimate, GroupTest, StratifiedResult
from analytics.measures.types import Cohort, Estimator, Stratifier
from analytics.reports import comparisons
from analytics.reports.numbers import (
    Scale,
    day_words,
    decimal,
    difference,
    in_ten,
    interval,
    interval_words,
    percent,
    share_words,
    whole,
)
from analytics.reports.sentences import (
    comparison_sentence,
    foot,
    level_sentence,
    overlap_sentence,
    reason_sentence,
    subtitle,
    takeaway,
    who_is_counted,
)
from analytics.reports.worked import family_example
from tests.spec.showable import (
    COHORT_WORDS,
    LOOK_LADDER,
    PROVENANCE,
    by_modality,
    ladder,
    measure,
    number,
    result,
    share,
    shown,
)

NAN = math.nan
BY_MODALITY = Stratifier.MODALITY
# look.md 6: never said, unless a number stands before it ("90% of most" never happens in our own words).
FORBIDDEN = re.compile(r"\b(significant\w*|impressive|drives?|leads? to|success\w*|best|only|most)\b", re.IGNORECASE)

COMPLETED = measure(
    id="completion",
    title="Completed the program",
    did="had completed the program",
    unknown_words="reason for leaving not recorded",
    known_words="with a recorded reason",
)
ATTENDANCE = measure(
    id="attendance",
    title="Sessions attended",
    of_whom="of booked sessions",
    did="were attended",
    estimator=Estimator.RATIO,
    ratio_unit="session",
    minimum_for_headline=200,
    unknown_words="not known",
    known_words="known",
)
CHANGE = measure(
    id="mean_change",
    title="Mean change, PHQ-9",
    did="changed by this many points",
    estimator=Estimator.MEAN_CHANGE,
    minimum_for_headline=20,
)
STAY = measure(
    id="retention_km",
    title="Still in the program, by day",
    of_whom="of people admitted",
    did="were still in the program",
    estimator=Estimator.SURVIVAL,
    read_at=(30, 60),
)
LEAVING = measure(
    id="completion_cif",
    title="How people left, over time",
    of_whom="of people admitted",
    did="had completed the program",
    estimator=Estimator.INCIDENCE,
    way="completed",
    read_at=(84,),
)


def sessions(value: float, low: float, high: float, booked: int, **changes: object) -> Estimate:
    return number(value, low, high, booked, numerator=round(value * booked), unit="session", persons=None, **changes)


def stay(value: float, low: float, high: float, people: int = 412, **details: float) -> Estimate:
    return number(value, low, high, people, unit="day", details=details)


def left(finished: float, early: float, still: float) -> Estimate:
    rest = 1 - finished - early - still
    ways = {"completed": finished, "left_early": early, "transferred_higher": rest, STILL_IN: still}
    return number(finished, finished - 0.05, finished + 0.05, 412, unit="episode", details={"day": 84, **ways})


# Numbers


@pytest.mark.parametrize(
    ("share_of", "words"),
    [
        (0.6213, "62%"),
        (0.625, "63%"),  # a half is rounded up, as people do it
        (0.285, "29%"),  # stored as 0.28499999…
        (0.0, "0%"),
        (1.0, "100%"),
        (0.0004, "under 1%"),  # some, so never "0%"
        (0.9991, "over 99%"),
        (NAN, "–"),
    ],
)
def test_percent_is_whole_and_never_says_none_or_all_of_some(share_of: float, words: str) -> None:
    assert percent(share_of) == words


def test_rounding_goes_away_from_zero() -> None:
    assert [whole(value) for value in (0.5, 1.5, 2.4, -0.5, -2.5)] == [1, 2, 2, -1, -3]


def test_an_interval_never_breaks_at_the_end_of_a_line() -> None:
    assert interval(0.57, 0.67) == "57\u2060–\u206067"
    assert interval(NAN, NAN) == ""
    assert interval(49, NAN, Scale.DAYS) == "49 or more"  # the band never falls to one half
    assert interval(-0.7, 7.4, Scale.POINTS) == "−0.7 to 7.4"
    assert interval_words(0.57, 0.67) == "57 to 67%"
    assert interval_words(6.2, 7.4, Scale.POINTS) == "6.2 to 7.4"


def test_differences_have_a_true_minus_and_points() -> None:
    told = [difference(value) for value in (-0.05, 0.04, 0.001, -0.01, NAN)]
    assert told == ["−5 points", "+4 points", "±0", "−1 point", "–"]
    assert difference(-1.25, Scale.POINTS) == "−1.3 points"
    assert decimal(-6.75) == "−6.8"


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (0.62, 0.57, 0.67, "About 6 in 10"),  # chance moves it by 5 points either way
        (0.62, 0.60, 0.64, "62%"),  # by 2 points: the percent itself is known
        (0.62, 0.59, 0.65, "62%"),  # by exactly 3
        (0.62, 0.5899, 0.651, "About 6 in 10"),
        (0.04, 0.01, 0.09, "4%"),  # "0 in 10" would say nobody
        (0.97, 0.90, 0.99, "97%"),
        (0.62, NAN, NAN, "62%"),
    ],
)
def test_x_in_ten_is_said_when_the_interval_is_wider_than_three_points(
    value: float, low: float, high: float, words: str
) -> None:
    assert in_ten(value, low, high) == words


def test_common_shares_have_words() -> None:
    assert [share_words(value) for value in (0.24, 0.34, 0.49, 0.08)] == [
        "a quarter",
        "a third",
        "half",
        "8%",
    ]
    assert [day_words(day) for day in (28, 30, 84)] == ["week 4", "day 30", "week 12"]


# Takeaways


def test_takeaway_of_a_share_with_many_missing_says_of_those_known_and_the_range() -> None:
    assert takeaway(shown({"all": share(187, 301, 97)})) == (
        "About 6 in 10 of those measured twice were clearly less depressed at the end; counting everyone, 47% to 71%"
    )


def test_takeaway_of_a_share_with_few_missing_is_about_everyone() -> None:
    completed = shown({"all": share(251, 390, 8)}, of=COMPLETED)
    assert takeaway(completed) == (
        "About 6 in 10 people who left the program had completed the program; for 2% we do not know"
    )
    known = shown({"all": share(6275, 9950)}, of=COMPLETED)
    assert takeaway(known) == "63% of people who left the program had completed the program"


def test_takeaway_says_when_the_unknown_count_as_not() -> None:
    as_not = shown({"all": share(187, 301, 97, missing="failure")}, of=measure(missing="failure"))
    assert takeaway(as_not) == (
        "About 5 in 10 people who left the program were clearly less depressed at the end; 24% unknown, not among them"
    )


def test_takeaway_of_a_ratio() -> None:
    steps = ladder(("admitted", 300), ("known", 294, 6, "not known"), ("with a session to count", 290, 4, "no session"))
    attended = shown({"all": sessions(0.83, 0.81, 0.85, 12_600)}, of=ATTENDANCE, ladder=steps)
    assert takeaway(attended) == "83% of booked sessions were attended; for 2% we do not know"


def test_takeaway_of_a_rate_above_one_is_no_percent() -> None:
    hours = dataclasses.replace(ATTENDANCE, title="Hours a week")
    steps = ladder(("admitted", 300), ("known", 300), ("with a week to count", 300))
    rate = shown({"all": sessions(7.75, 7.2, 8.3, 2000)}, of=hours, ladder=steps)
    assert takeaway(rate) == "Hours a week: 7.8 on average (7.2 to 8.3)"
    assert level_sentence(rate) == "On average 7.8 per session (7.2 to 8.3)."


def test_takeaway_of_a_mean_change() -> None:
    better = shown({"all": number(6.8, 6.2, 7.4, 301, unknown=97)}, of=CHANGE)
    worse = shown({"all": number(-2.1, -3.0, -1.2, 301)}, of=CHANGE)
    neither = shown({"all": number(3.3, -0.7, 7.4, 40)}, of=CHANGE)
    assert takeaway(better) == "PHQ-9 scores of those measured twice improved by 6.8 points on average (6.2 to 7.4)"
    assert takeaway(worse) == "PHQ-9 scores of those measured twice worsened by 2.1 points on average (−3.0 to −1.2)"
    assert takeaway(neither) == (
        "No clear change in PHQ-9 scores of those measured twice: between 0.7 points worse and 7.4 better"
    )


def test_takeaway_of_a_stay_is_its_median_or_the_first_day_it_is_read() -> None:
    assert takeaway(shown({"all": stay(56, 49, 63)}, of=STAY)) == (
        "Half of people admitted were still in the program on day 56 (49 to 63)"
    )
    no_median = stay(NAN, NAN, NAN, still_in_30=0.87, still_in_30_low=0.84, still_in_30_high=0.9)
    assert takeaway(shown({"all": no_median}, of=STAY)) == (
        "On day 30, 87% of people admitted were still in the program (84 to 90%)"
    )


def test_takeaway_of_leaving_names_the_two_largest_ways_and_who_is_left() -> None:
    assert takeaway(shown({"all": left(0.61, 0.27, 0.0)}, of=LEAVING)) == (
        "By week 12, 61% had finished; 27% had left early"
    )
    assert takeaway(shown({"all": left(0.55, 0.25, 0.12)}, of=LEAVING)) == (
        "By week 12, 55% had finished, 25% had left early and 12% were still here"
    )


def test_no_headline_from_too_few_or_too_many_unknown() -> None:
    assert takeaway(shown({"all": share(20, 29)})) == (
        "Clearly better, PHQ-9: too few episodes to say (29; at least 30 needed)"
    )
    assert takeaway(shown({"all": share(20, 40, 60)})) == (
        "Clearly better, PHQ-9: for 60% we do not know, too many for a headline"
    )
    # And the sentence for families says the same: too few, not that too many are unknown.
    told = dataclasses.replace(ATTENDANCE, minimum_for_headline=300, family="They came to {per_100} of 100.")
    few = shown({"all": sessions(0.8, 0.7, 0.9, 252)}, of=told)
    assert takeaway(few) == "Sessions attended: too few sessions to say (252; at least 300 needed)"
    assert family_example(few) == "No sentence: too few people for one."
    assert takeaway(shown({"all": share(0, 0)})) == "Clearly better, PHQ-9: nobody matches these filters"


# Levels


def test_level_of_a_share_says_what_the_missing_could_make_of_it() -> None:
    disclosed = shown(by_modality(), BY_MODALITY)
    assert level_sentence(disclosed) == (
        "62% of the 301 measured twice were clearly less depressed at the end (57 to 67%). If none of the 97 "
        "we do not know about (not measured twice) were among them, it would be 47%; if all were, 71%."
    )
    assert level_sentence(disclosed, "not known").startswith("Not recorded: 56% of the 9 episodes were clearly")
    assert level_sentence(disclosed, "telehealth").startswith("Telehealth: 55% of the 67 measured twice were")


def test_level_with_the_unknown_counted_as_not() -> None:
    as_not = shown({"all": share(187, 301, 97, missing="failure")}, of=measure(missing="failure"))
    assert level_sentence(as_not) == (
        "47% of the 398 episodes were clearly less depressed at the end (42 to 52%). Here the 97 we do not know about "
        "(not measured twice) are not among them; if all were, it would be 71%."
    )


def test_levels_of_the_other_estimators() -> None:
    assert level_sentence(shown({"all": sessions(0.83, 0.81, 0.85, 12_600)}, of=ATTENDANCE)) == (
        "83% of the 12,600 sessions were attended (81 to 85%)."
    )
    assert level_sentence(shown({"all": number(6.8, 6.2, 7.4, 301, unknown=97)}, of=CHANGE)) == (
        "On average, PHQ-9 scores of the 301 episodes measured twice improved by 6.8 points (6.2 to 7.4). "
        "Not counted: 97 (not measured twice)."
    )
    assert level_sentence(shown({"all": stay(56, 49, NAN)}, of=STAY)) == (
        "From day 56 (49 or more) on, half or fewer of the 412 episodes were still in the program."
    )
    assert level_sentence(shown({"all": left(0.61, 0.27, 0)}, of=LEAVING)) == (
        "By week 12, 61% of the 412 episodes had completed the program (56 to 66%)."
    )


# Reasons


def test_a_missing_value_has_a_reason_and_a_remedy() -> None:
    filtered = Cohort(where={"modality": ("hybrid",), "site": ("east", "west")})
    nobody = shown({"all": share(0, 0)}, cohort=filtered)
    assert reason_sentence(nobody) == "Nobody matches these filters. Remove east or west."
    assert reason_sentence(shown({"all": share(0, 0)})) == "Nobody matches these filters."
    assert reason_sentence(shown({"all": share(20, 40)})) == ""
    recent = share(0, 0, reason="Not known yet: 14 episodes are too recent.")
    assert level_sentence(shown({"all": recent})) == "Not known yet: 14 episodes are too recent."
    withheld = shown(by_modality(), BY_MODALITY, internal_minimum=11)
    assert level_sentence(withheld, "not known") == "Not recorded: Too few people to say (at least 11 needed)."


# Comparisons


def test_a_clear_difference_is_said_with_its_interval_and_without_a_cause() -> None:
    # Newcombe 1998, 56/70 against 48/80: 0.20, 0.0524 to 0.3339.
    published = shown({"all": share(104, 150), "in_person": share(56, 70), "telehealth": share(48, 80)}, BY_MODALITY)
    assert comparison_sentence(published, "in_person", "telehealth") == (
        "In person is 20 points above telehealth (between 5 and 33). People were not assigned by chance."
    )
    assert comparison_sentence(published, "telehealth", "in_person") == (
        "Telehealth is 20 points below in person (between 5 and 33). People were not assigned by chance."
    )


def test_an_unclear_difference_gives_both_ends() -> None:
    assert comparison_sentence(shown(by_modality(), BY_MODALITY), "telehealth", "in_person") == (
        "No clear difference between telehealth and in person: between 23 points below and 5 above. "
        "People were not assigned by chance."
    )


def test_groups_of_people_are_plural() -> None:
    gender = {"all": share(104, 150), "female": share(56, 70), "male": share(48, 80)}
    told = comparison_sentence(shown(gender, Stratifier.GENDER), "female", "male")
    assert told.startswith("Women and girls are 20 points above men")


def test_changes_are_compared_by_their_own_limits() -> None:
    # 7.4 (6.5 to 8.3) less 5.6 (4.4 to 6.8): 1.8, limits 1.8 ∓ √(0.9² + 1.2²) = 0.3 and 3.3.
    changes = {"all": number(6.8, 6.2, 7.4, 301), "in_person": number(7.4, 6.5, 8.3, 137)}
    changes["telehealth"] = number(5.6, 4.4, 6.8, 76)
    assert comparison_sentence(shown(changes, BY_MODALITY, CHANGE), "telehealth", "in_person") == (
        "Telehealth improved by 1.8 points less than in person (between 0.3 and 3.3). "
        "People were not assigned by chance."
    )


def test_stays_are_compared_on_a_day() -> None:
    def on_day_30(value: float, low: float, high: float) -> Estimate:
        return stay(NAN, NAN, NAN, 150, still_in_30=value, still_in_30_low=low, still_in_30_high=high)

    stays = {"all": stay(NAN, NAN, NAN), "in_person": on_day_30(0.91, 0.88, 0.94)}
    stays["telehealth"] = on_day_30(0.80, 0.76, 0.84)
    assert comparison_sentence(shown(stays, BY_MODALITY, STAY), "telehealth", "in_person") == (
        "On day 30, telehealth is 11 points below in person (between 6 and 16). People were not assigned by chance."
    )


def test_small_overlapping_and_unknown_groups_are_not_compared() -> None:
    disclosed = shown(by_modality(), BY_MODALITY)
    assert comparison_sentence(disclosed, "not known", "in_person") == (
        "Too few people to compare: not recorded (9; at least 11 needed)."
    )
    withheld = shown(by_modality(), BY_MODALITY, internal_minimum=11)
    assert comparison_sentence(withheld, "in_person", "not known") == (
        "Too few people to compare: not recorded (at least 11 needed)."
    )
    therapies = {"all": share(187, 301), "cbt": share(100, 150), "dbt": share(90, 140)}
    overlap = shown(therapies, Stratifier.THERAPY, overlapping=True)
    warning = "A person can be in several of these groups; they do not add up."
    assert comparison_sentence(overlap, "cbt", "dbt") == overlap_sentence(overlap) == warning
    assert overlap_sentence(disclosed) == ""
    for pair in (("telehealth", "north"), ("telehealth", "all")):
        with pytest.raises(MeasureProblem, match="Choose two of its rows"):
            comparison_sentence(disclosed, *pair)


def test_the_test_between_groups_is_called_exploratory() -> None:
    def told(p_value: float) -> str:
        return comparisons.between_groups_sentence(
            shown(
                by_modality(),
                BY_MODALITY,
                tests=(GroupTest("log-rank", 9.1, 2, p_value, "whether people stay equally long"),),
            )
        )

    assert told(0.0104) == (
        "Taken together, the groups differ by more than chance alone usually makes (log-rank, p = 0.010; "
        "exploratory). People were not assigned by chance."
    )
    assert "do not differ by more than chance" in told(0.3)
    assert "p under 0.001" in told(0.00001)
    assert comparisons.between_groups_sentence(shown(by_modality(), BY_MODALITY)) == ""


def test_two_tests_say_what_each_asks() -> None:
    tests = (
        GroupTest("cause-specific log-rank (completed)", 9.1, 2, 0.0104, "whether they leave at the same pace"),
        GroupTest("Gray (completed)", 2.1, 2, 0.35, "whether the same share has left"),
    )
    assert comparisons.between_groups_sentence(shown(by_modality(), BY_MODALITY, tests=tests)) == (
        "Asked whether they leave at the same pace, the groups differ by more than chance alone usually makes "
        "(cause-specific log-rank (completed), p = 0.010; exploratory). Asked whether the same share has left, they "
        "do not differ by more than chance alone usually makes (Gray (completed), p = 0.350; exploratory). "
        "People were not assigned by chance."
    )


def test_groups_of_an_incidence_differ_by_what_the_result_says() -> None:
    gap = DayDifference("telehealth", "in_person", 56, 0.11, 0.02, 0.2)
    disclosed = shown(by_modality(), BY_MODALITY, differences=(gap,))
    said = comparison_sentence(disclosed, "in_person", "telehealth")
    assert said.startswith("On day 56, in person is 11 points below telehealth (between 2 and 20).")
    hidden = shown(
        by_modality() | {"in_person": share(2, 3)}, BY_MODALITY, differences=(gap,), internal_minimum=11
    ).content
    assert hidden.differences == () and "in_person" in hidden.estimates


def test_a_split_of_ways_of_leaving_says_which_way_and_by_when() -> None:
    gap = DayDifference("telehealth", "in_person", 84, 0.11, 0.02, 0.2)
    groups = {"all": left(0.61, 0.27, 0), "in_person": left(0.56, 0.3, 0), "telehealth": left(0.67, 0.2, 0)}
    disclosed = shown(groups, BY_MODALITY, LEAVING, differences=(gap,))
    headline = comparisons.split_headline(disclosed)
    assert headline == "Finished by day 84: telehealth is 11 points above in person (between 2 and 20)"
    assert "share that had completed the program by day 84 · dot and 95% interval" in subtitle(disclosed)
    plans = {
        name: dataclasses.replace(each, details={**each.details, "day": 70.0} if name == "telehealth" else each.details)
        for name, each in groups.items()
    }
    by_plan = shown(plans, BY_MODALITY, LEAVING)
    assert "had completed the program by the end of the plan" in subtitle(by_plan)
    assert comparisons.split_headline(by_plan).startswith("Finished by the end of the plan: ")


def test_the_headline_of_a_split_is_its_clearest_difference_or_says_that_there_is_none() -> None:
    clear = shown({"all": share(104, 150), "in_person": share(56, 70), "telehealth": share(48, 80)}, BY_MODALITY)
    assert comparisons.split_headline(clear) == (
        "Clearly better, PHQ-9: in person is 20 points above telehealth (between 5 and 33)"
    )
    assert comparisons.split_headline(shown(by_modality(), BY_MODALITY)).startswith(
        "Clearly better, PHQ-9: no clear difference"
    )


# Frame


def test_those_not_known_are_counted_as_no_where_the_measure_says_so() -> None:
    told = who_is_counted(shown({"all": share(187, 398, 97, missing="failure")}, of=measure(missing="failure")))
    assert "Counted as no: 97 " in told
    assert "97" not in told.partition("Not counted:")[2].partition("Counted as no:")[0]


def test_who_is_counted_is_the_ladder_with_its_losses() -> None:
    assert who_is_counted(shown({"all": share(187, 301, 97)})) == (
        "412 admitted → 398 left the program → 301 measured twice → 187 were clearly less depressed at the "
        "end. Not counted: 14 still in the program, 97 not measured twice."
    )


def test_steps_that_lose_nobody_are_not_told() -> None:
    steps = ladder(("admitted", 50), ("alive", 50), ("known", 50), ("had completed", 30, 20, "known not to be so"))
    assert who_is_counted(shown({"all": share(30, 50)}, ladder=steps)) == "50 admitted → 30 had completed."
    assert who_is_counted(shown(by_modality(), BY_MODALITY), "hybrid") == ""


def test_the_subtitle_says_measure_whom_period_and_marks() -> None:
    assert subtitle(shown({"all": share(187, 301, 97)})) == (
        f"Clearly better, PHQ-9 · of people who left the program, measured twice · {COHORT_WORDS} · 95% interval"
    )
    assert subtitle(shown(by_modality(), BY_MODALITY)).endswith("dot and 95% interval · dashed line: all 301")
    worse = shown({"all": share(18, 301, 97)}, of=measure(better="lower"))
    assert "lower is better" in subtitle(worse, marks="one bar per group")
    assert subtitle(worse, marks="one bar per group").endswith("one bar per group")


def test_the_foot_says_date_snapshot_tier_and_made_up() -> None:
    assert foot(shown(by_modality())) == (
        "Data to 31 December 2025 · snapshot 7f3a91 · Internal, do not share · made-up data"
    )
    real = dataclasses.replace(PROVENANCE, synthetic=False, privacy_mode="limited", paper_gap="agreement_missing")
    disclosed = internal_view(result({"all": share(187, 301)}), real, COHORT_WORDS)
    assert foot(disclosed).endswith("Internal, do not share · limited data set, agreement not recorded")
    papered = internal_view(disclosed.content, dataclasses.replace(real, paper_gap=""), COHORT_WORDS)
    assert foot(papered).endswith("Internal, do not share · limited data set, not de-identified")


# All of them


def every_result() -> list[Disclosed[StratifiedResult]]:
    bad = "Not known for any of the 12 episodes: not measured twice."
    return [
        shown(by_modality(), BY_MODALITY),
        shown(by_modality(), BY_MODALITY, internal_minimum=11),
        shown({"all": share(0, 0, 12, reason=bad)}),
        shown({"all": share(20, 29)}),
        shown({"all": share(20, 40, 60)}),
        shown({"all": share(187, 301, 97, missing="failure")}, of=COMPLETED),
        shown({"all": sessions(0.83, 0.81, 0.85, 12_600)}, of=ATTENDANCE, ladder=LOOK_LADDER),
        shown({"all": number(6.8, 6.2, 7.4, 301, unknown=97)}, of=CHANGE),
        shown({"all": number(3.3, -0.7, 7.4, 40)}, of=CHANGE),
        shown({"all": stay(56, 49, NAN)}, of=STAY),
        shown({"all": stay(NAN, NAN, NAN)}, of=STAY),
        shown({"all": left(0.55, 0.25, 0.12)}, of=LEAVING),
    ]


@pytest.mark.parametrize("disclosed", every_result())
def test_no_sentence_praises_claims_or_shows_a_raw_code(disclosed: Disclosed[StratifiedResult]) -> None:
    told = [takeaway(disclosed), subtitle(disclosed), who_is_counted(disclosed), foot(disclosed)]
    told += [level_sentence(disclosed, group) for group in disclosed.content.estimates]
    told += [reason_sentence(disclosed, group) for group in disclosed.content.estimates]
    for sentence in told:
        assert not FORBIDDEN.search(sentence), sentence
        assert "nan" not in sentence.split(), sentence
        assert "_" not in sentence, sentence
        assert not re.search(r"(?<!\w)-\d|\d-\d", sentence), sentence  # a true minus or a dash, no hyphen
    assert 20 < len(told[0]) <= 110
    assert not told[0].endswith(".")


def test_a_title_that_leaves_no_room_still_makes_a_headline() -> None:
    wordy = measure(title="T" * 40, did="were " + "x" * 80, of_whom="of " + "people " * 12, known_words="k" * 60)
    for estimate in (share(187, 301, 97), share(187, 301), share(187, 301, 97, missing="failure")):
        assert len(takeaway(shown({"all": estimate}, of=wordy))) <= 110
