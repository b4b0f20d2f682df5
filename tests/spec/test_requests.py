"""Requests for help: how many of them lead to a start, of whom that is known, and what is said where it is not."""

from pathlib import Path

import pytest

from analytics.errors import MeasureProblem
from analytics.measures import ALL, NOT_KNOWN, Cohort, Stratifier, find, result_as_text
from analytics.measures.explain import Answer, explain
from analytics.measures.small_groups import smaller_than
from tests.reference.reference_results import example
from tests.spec.built_outcomes import outcome
from tests.spec.outcome_tables import Row, SmallSnapshot, counts, one, small_snapshot

CONVERSION = find("admission_conversion")

# days_to_first_session: from the request to the first attended session. Who counts, and as what:
TWELVE: list[Row] = [
    {"days_to_first_session": 0, "decision": "admitted", "source": "self"},  # yes
    {"days_to_first_session": 30, "decision": "admitted", "source": "self"},  # yes, the last day
    {"days_to_first_session": 31, "decision": "admitted", "source": "self"},  # no, a day late
    {"days_to_first_session": 12, "decision": "waitlist", "source": "court"},  # yes: they came, whatever the file says
    {"decision": "admitted", "source": "court"},  # no: never came
    {"decision": "not_eligible", "source": "court"},  # no; not in the variant
    {"decision": None, "source": "self"},  # no: not known is not admitted
    {"decision": "declined", "source": None},  # no, of a source that is not recorded
    {"days_to_first_session": 3, "is_repeat": True},  # not counted: asked again
    {"decision": "pending", "observed_days": 0},  # too recent
    {"days_to_first_session": 2, "observed_days": 0},  # too recent, although they came
    {"decision": "declined", "observed_days": None, "person_id": None},  # no: the time since is not known; nobody named
]


@pytest.fixture(scope="module")
def twelve() -> SmallSnapshot:
    return small_snapshot([], referrals=TWELVE)


def test_twelve_requests(twelve: SmallSnapshot) -> None:
    result = one(twelve, CONVERSION)
    estimate = result.estimates[ALL]
    assert (estimate.numerator, estimate.denominator, estimate.unknown, estimate.too_recent) == (3, 9, 0, 2)
    assert [(step.count, step.lost, step.lost_label) for step in result.ladder.steps] == [
        (12, 0, ""),
        (11, 1, "asked again within 30 days"),
        (9, 2, "too recent"),
        (9, 0, "sessions not recorded"),
        (3, 6, "known not to be so"),
    ]
    assert result.ladder.steps[0].label == "asked for help"
    of_eligible = result.variants["of those not found ineligible"][ALL]
    assert (of_eligible.numerator, of_eligible.denominator, of_eligible.unknown) == (3, 8, 0)
    assert of_eligible.lower_bound == of_eligible.value == of_eligible.upper_bound
    assert estimate.unit == "request"
    text = result_as_text(result)
    assert "33.3% (12.1% to 64.6%) of people who asked for help came to a first session within 30 days, 3 of 9" in text
    assert "Snapshot small: everyone in the data; 12 request rows, 11 people." in text


def test_the_worked_example(shared: Path) -> None:
    # ex: conversion: 80 asked, 6 of them less than 30 days ago; 52 of 74 started, 9 were not eligible.
    rows: list[Row] = [{"decision": "pending", "observed_days": 0}] * 6
    rows += [{"decision": "admitted", "days_to_first_session": day % 31} for day in range(52)]
    rows += [{"decision": "not_eligible"}] * 9 + [{"decision": "declined"}] * 8 + [{"decision": "unreachable"}] * 5
    result = one(small_snapshot([], referrals=rows), CONVERSION)
    theirs = example(shared, "conversion")["expected"]
    for mine, rate in (
        (result.estimates[ALL], theirs["conversion_matured"]),
        (result.variants["of those not found ineligible"][ALL], theirs["conversion_eligible"]),
    ):
        assert (mine.numerator, mine.denominator) == (rate["x"], rate["n"])
        assert mine.value == pytest.approx(rate["rate"], abs=1e-6)
        assert [mine.ci_low, mine.ci_high] == pytest.approx(rate["wilson95"], abs=1e-6)
    assert result.estimates[ALL].too_recent == 6


def test_by_source(twelve: SmallSnapshot) -> None:
    assert counts(one(twelve, CONVERSION, Stratifier.REFERRAL_SOURCE)) == {
        ALL: (3, 9),
        "self": (2, 5),
        "court": (1, 3),
        NOT_KNOWN: (0, 1),
    }
    assert counts(one(twelve, CONVERSION, where={"referral_source": ("court",)})) == {ALL: (1, 3)}
    with pytest.raises(MeasureProblem, match="The filter referral_source does not take 'friend'"):
        one(twelve, CONVERSION, where={"referral_source": ("friend",)})


def test_by_period_of_the_admission_or_of_the_request() -> None:
    rows: list[Row] = [
        {"period": "2026-01", "days_to_first_session": 4},
        {"period": "2026-01"},
        {"period": "2026-02"},
        {"period": None},
    ]
    snapshot = small_snapshot([], referrals=rows)
    by_period = one(snapshot, CONVERSION, Stratifier.ADMIT_PERIOD)
    assert counts(by_period) == {ALL: (1, 4), "2026-01": (1, 2), "2026-02": (0, 1), NOT_KNOWN: (0, 1)}
    assert counts(one(snapshot, CONVERSION, start="2026-02", end="2026-03")) == {ALL: (0, 1)}


@pytest.mark.parametrize(
    ("cohort", "words"),
    [
        ({"where": {"modality": ("telehealth",)}}, "how care was delivered"),
        ({"where": {"program_id": ("north",), "referral_source": ("self",)}}, "program"),
        ({"where": {"modality": ("telehealth",), "site": ("east",)}}, "how care was delivered, site"),
        ({"unit": "course"}, "courses of treatment"),
    ],
)
def test_what_is_not_known_of_people_who_only_asked_has_a_reason(
    twelve: SmallSnapshot, cohort: dict[str, object], words: str
) -> None:
    result = one(twelve, CONVERSION, **cohort)
    estimate = result.estimates[ALL]
    assert not estimate.has_value and estimate.denominator == 0
    assert estimate.reason == f"Not known of people who only asked for help: {words}."
    assert estimate.reason in result_as_text(result)
    assert result.variants == {}


def test_a_filter_is_checked_even_where_it_is_not_known(twelve: SmallSnapshot) -> None:
    with pytest.raises(MeasureProblem, match="The filter modality does not take 'phone'"):
        one(twelve, CONVERSION, where={"modality": ("phone",)})


def test_a_split_that_is_not_known_leaves_the_total_and_says_why(twelve: SmallSnapshot) -> None:
    result = one(twelve, CONVERSION, Stratifier.MODALITY)
    assert counts(result) == {ALL: (3, 9), NOT_KNOWN: (0, 0)}
    reason = "Not known of people who only asked for help: how care was delivered."
    assert result.estimates[NOT_KNOWN].reason == reason
    assert {by_group[NOT_KNOWN].reason for by_group in result.variants.values()} == {reason}


def test_people_are_counted_where_they_can_be_told_apart() -> None:
    # Twelve requests by name, three by one person more than 30 days apart; then eleven of nobody named.
    named: list[Row] = [{"person_id": number} for number in range(1, 11)] + [{"person_id": 10}] * 2
    few = one(small_snapshot([], referrals=named), CONVERSION)
    assert (few.estimates[ALL].denominator, few.estimates[ALL].persons, few.persons) == (12, 10, 10)
    assert smaller_than(few, 11) == {ALL}
    nobody = one(small_snapshot([], referrals=[{"person_id": None}] * 11), CONVERSION)
    assert (nobody.estimates[ALL].denominator, nobody.estimates[ALL].persons) == (11, 0)
    assert smaller_than(nobody, 11) == {ALL}
    enough = small_snapshot([], referrals=[*named, {"person_id": 11}])
    by_source = one(enough, CONVERSION, Stratifier.REFERRAL_SOURCE)
    assert [each.persons for each in by_source.estimates.values()] == [11, 11]
    assert smaller_than(by_source, 11) == frozenset()


def test_counted_by_people_one_request_of_each_stands_for_all() -> None:
    rows: list[Row] = [
        {"person_id": 1, "is_repeat": True, "days_to_first_session": 1},  # a repeat never stands for the rest
        {"person_id": 1},
        {"person_id": 2, "days_to_first_session": 1},
        {"person_id": 2},
        {"person_id": None},
        {"person_id": None, "days_to_first_session": 1},
    ]
    result = one(small_snapshot([], referrals=rows), CONVERSION, unit="person")
    assert (result.episodes, counts(result)) == (4, {ALL: (2, 4)})
    assert result.estimates[ALL].persons == result.persons == 2  # whoever was not named is not told apart


def test_not_collected_and_nobody_asked(twelve: SmallSnapshot) -> None:
    absent = one(small_snapshot([{}], referrals=TWELVE, absent=["referral"]), CONVERSION)
    assert absent.estimates[ALL].reason == "Not collected: referrals."
    nobody = one(small_snapshot([{}]), CONVERSION)
    assert nobody.estimates[ALL].reason == "Nobody matches these filters."


def test_one_episode_is_not_what_it_is_about() -> None:
    snapshot = small_snapshot([{}], referrals=TWELVE)
    told = explain(CONVERSION, snapshot, 1)
    assert (told.answer, told.because) == (
        Answer.NOT_LOOKED_AT,
        "This measure is about requests for help, not about episodes.",
    )
    with pytest.raises(MeasureProblem, match="There is no episode 2"):
        explain(CONVERSION, snapshot, 2, Cohort())


def test_rows_of_requests_are_made_of_rows_of_referrals() -> None:
    referral = [
        {"person_id": 1, "episode_id": 1, "days_to_admission": 4},  # came on day 3: 4 + 3
        {"person_id": 2, "episode_id": 2, "days_to_admission": 4},  # admitted, came to nothing
        {"person_id": 2, "is_repeat": True},  # led to no stay of theirs
        {"person_id": 3, "referral_period": "2025-02", "decision": "declined"},  # never admitted
        {"decision": None},  # nobody named
    ]
    assert outcome(
        "referral_id, days_to_first_session, period, is_repeat",
        "referral_outcome",
        "referral_id",
        episode=[{}, {}],
        attendance=[{"episode_id": 1, "day": 3}, {"episode_id": 1, "day": 5}],
        referral=referral,
    ) == [
        (1, 7, "2025-03", False),
        (2, None, "2025-03", False),
        (3, None, None, True),
        (4, None, "2025-02", False),
        (5, None, None, False),
    ]
