"""What people said, how many answered, and what the others could make of it; nobody is told apart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analytics.disclosure import internal_view
from analytics.measures import ALL, NOT_KNOWN, Stratifier, find, result_as_text
from analytics.measures.small_groups import smaller_than
from analytics.reports.sentences import level_sentence
from analytics.statistics.counts import mean_from_sums
from tests.reference.reference_results import example
from tests.spec.built_outcomes import outcome
from tests.spec.outcome_tables import Row, SmallSnapshot, counts, one, small_snapshot
from tests.spec.showable import COHORT_WORDS, PROVENANCE

TOP_BOX, RESPONSE, TOTAL = (find(f"satisfaction{name}") for name in ("", "_response", "_total"))

# Twelve invitations: who answered what.
TWELVE: list[Row] = [
    {"recommend": 4, "total": 32},
    {"recommend": 4, "total": 30},
    {"recommend": 3, "total": 26},
    {"recommend": 1},  # answered one question only: no total
    {"total": 20},  # and here the question about recommending is missing
    {"invitations": 3},  # three clients did not answer
    {"respondent": "family", "recommend": 4, "total": 28, "program_id": "south"},
    {"respondent": "family", "invitations": 2, "program_id": "south"},
    {"respondent": "family", "is_answered": None, "program_id": "south"},  # nobody wrote down whether they answered
]


@pytest.fixture(scope="module")
def twelve() -> SmallSnapshot:
    return small_snapshot([{}], answers=TWELVE)


def test_twelve_invitations(twelve: SmallSnapshot) -> None:
    top, response, total = (one(twelve, measure) for measure in (TOP_BOX, RESPONSE, TOTAL))
    assert [each.episodes for each in (top, response, total)] == [12, 12, 12]
    said = top.estimates[ALL]
    assert (said.numerator, said.denominator, said.unknown) == (3, 5, 7)
    assert (said.lower_bound, said.upper_bound) == (3 / 12, 10 / 12)
    assert top.ladder.steps[0].label == "asked how satisfied they are"
    answered = response.estimates[ALL]
    assert (answered.numerator, answered.denominator, answered.unknown) == (6, 11, 1)
    mean = total.estimates[ALL]
    # 32, 30, 26, 20, 28; of the other seven nobody knows: 8 to 32 each.
    assert (mean.value, mean.denominator, mean.unknown) == (27.2, 5, 7)
    assert (mean.lower_bound, mean.upper_bound) == pytest.approx(((136 + 7 * 8) / 12, (136 + 7 * 32) / 12))
    limits = stats.ttest_1samp([32, 30, 26, 20, 28], 0).confidence_interval(0.95)
    assert (mean.ci_low, mean.ci_high) == pytest.approx((limits.low, limits.high))
    assert "27.20 points (21.48 to 32.92 points) on average, from 5 with a total. Not known: 7" in result_as_text(total)
    shown = internal_view(total, PROVENANCE, COHORT_WORDS)
    assert level_sentence(shown) == (
        "Mean CSQ-8 total: 27.2 points (21.5 to 32.9), from 5 with a total. With the lowest value for the 7 we do not "
        "know about (no answer), it would be 16.0; with the highest, 30.0."
    )


def test_the_worked_example(shared: Path) -> None:
    # ex: csq8: 40 of 52 answers are a 4; 120 were asked.
    theirs = example(shared, "csq8")["expected"]
    satisfaction: list[dict[str, Any]] = [{"recommend": 4 if n < 40 else 3, "response_no": n} for n in range(52)]
    satisfaction.append({"invited": 120, "answered": 52})
    rows = outcome(
        "recommend, is_answered, invitations", "satisfaction_outcome", "all", episode=[{}], satisfaction=satisfaction
    )
    answers = [{"recommend": said, "is_answered": answered, "invitations": number} for said, answered, number in rows]
    snapshot = small_snapshot([{}], answers=answers)
    top, response = (one(snapshot, measure).estimates[ALL] for measure in (TOP_BOX, RESPONSE))
    for mine, rate in ((top, theirs["top_box"]), (response, theirs["response_rate"])):
        assert (mine.numerator, mine.denominator) == (rate["x"], rate["n"])
        assert [mine.value, mine.ci_low, mine.ci_high] == pytest.approx([rate["rate"], *rate["wilson95"]], abs=1e-6)
    assert [top.lower_bound, top.upper_bound] == pytest.approx(theirs["bounds"], abs=1e-6)


def test_by_who_was_asked_by_program_and_by_period(twelve: SmallSnapshot) -> None:
    assert counts(one(twelve, TOP_BOX, Stratifier.RESPONDENT)) == {ALL: (3, 5), "client": (2, 4), "family": (1, 1)}
    assert counts(one(twelve, RESPONSE, Stratifier.PROGRAM)) == {ALL: (6, 11), "north": (5, 8), "south": (1, 3)}
    assert counts(one(twelve, TOP_BOX, Stratifier.ADMIT_PERIOD)) == {ALL: (3, 5), "2025-03": (3, 5)}
    assert counts(one(twelve, TOP_BOX, where={"respondent": ("family",)})) == {ALL: (1, 1)}
    assert counts(one(twelve, TOP_BOX, start="2025-04")) == {ALL: (0, 0)}


def test_what_is_not_known_of_answers_has_a_reason(twelve: SmallSnapshot) -> None:
    by_age = one(twelve, TOP_BOX, where={"age_band": ("26-34",)}).estimates[ALL]
    assert by_age.reason == "Not known of people who were asked how satisfied they are: age."
    people = one(twelve, TOTAL, unit="person").estimates[ALL]
    assert people.reason == "Not known of people who were asked how satisfied they are: who is the same person."
    split = one(twelve, TOTAL, Stratifier.MODALITY)
    assert split.estimates[ALL].value == 27.2
    assert (
        split.estimates[NOT_KNOWN].reason is not None and "how care was delivered" in split.estimates[NOT_KNOWN].reason
    )
    of_episodes = one(twelve, find("completion"), Stratifier.RESPONDENT)
    assert of_episodes.estimates[NOT_KNOWN].reason == "Not known of episodes: who was asked."


def test_answers_without_counts_have_no_worst_and_best_case() -> None:
    rows: list[Row] = [{"recommend": 4, "total": 30}, {"recommend": 3, "total": 20}, {"invitations": 5}]
    uncounted: Row = {"recommend": 4, "total": 31, "is_counted": False, "respondent": "referrer"}
    snapshot = small_snapshot([{}], answers=[*rows, uncounted])
    for measure in (TOP_BOX, TOTAL):
        result = one(snapshot, measure, Stratifier.RESPONDENT)
        whole, client = result.estimates[ALL], result.estimates["client"]
        assert whole.has_value and np.isnan([whole.lower_bound, whole.upper_bound]).all()
        assert client.lower_bound < client.value < client.upper_bound
    assert one(snapshot, TOP_BOX).variants["counting not known as no"][ALL].reason == (
        "Nobody knows how many: answers for which invitations were not counted."
    )
    response = one(snapshot, RESPONSE)
    assert counts(response) == {ALL: (2, 7)}
    assert response.ladder.steps[1].lost_label == "how many were asked is not recorded"


def test_people_are_taken_to_be_as_many_as_answered_in_one_period() -> None:
    # Eleven answers in one place are eleven people; six and six of two quarters may be the same six.
    wave: list[Row] = [{"recommend": 4}] * 11
    spread: list[Row] = [{"recommend": 4, "period_code": code} for code in (1, 2)] * 6
    for rows, people in ((wave, 11), (spread, 6)):
        result = one(small_snapshot([{}], answers=rows), TOP_BOX)
        assert (result.estimates[ALL].persons, result.persons) == (people, None)
        assert smaller_than(result, 11) == (frozenset() if people == 11 else {ALL})
    many = one(small_snapshot([{}], answers=[{"recommend": 4, "period_code": n % 40} for n in range(200)]), TOP_BOX)
    assert many.estimates[ALL].persons is None and smaller_than(many, 11) == frozenset()
    asked = one(small_snapshot([{}], answers=[{"recommend": 4}, {"invitations": 12}]), RESPONSE)
    assert asked.estimates[ALL].persons == 13


def test_not_collected_one_answer_and_no_spread() -> None:
    absent = one(small_snapshot([{}], answers=TWELVE, absent=["satisfaction"]), TOP_BOX)
    assert absent.estimates[ALL].reason == "Not collected: satisfaction answers."
    single = one(small_snapshot([{}], answers=[{"total": 20}]), TOTAL).estimates[ALL]
    assert (single.value, single.reason) == (20, "No interval: one invitation alone shows no spread.")
    alike = one(small_snapshot([{}], answers=[{"total": 20}] * 3), TOTAL).estimates[ALL]
    assert alike.value == 20 and np.isnan(alike.ci_low) and "do not differ" in str(alike.reason)
    other = one(small_snapshot([{}], answers=[{"total": 20, "instrument": None}]), TOTAL).estimates[ALL]
    assert other.reason == "Nobody to count of 1: 1 asked with another questionnaire, or not recorded which."


COLUMNS = "respondent, recommend, is_answered, is_counted, invitations"


def test_rows_of_invitations() -> None:
    satisfaction = [
        {"recommend": 4, "response_no": 1},
        {"recommend": 2, "response_no": 2},
        {"invited": 9, "answered": 4},  # two more answered than the file holds
        {"respondent": "family", "invited": 5},  # nobody wrote down how many answered
        {"respondent": "referrer", "recommend": 3},  # invitations not counted
        {"respondent": "client", "period_code": 2, "recommend": 1, "response_no": 1},
        {"respondent": "client", "period_code": 2, "recommend": 4, "response_no": 2},
        {"respondent": "client", "period_code": 2, "invited": 1},  # fewer invited than answered
    ]
    assert outcome(
        f"period_code, {COLUMNS}", "satisfaction_outcome", "all", episode=[{}], satisfaction=satisfaction
    ) == [
        (1, "client", 2, True, True, 1),
        (1, "client", 4, True, True, 1),
        (1, "client", None, False, True, 5),
        (1, "client", None, True, True, 2),
        (1, "family", None, None, True, 5),
        (1, "referrer", 3, True, False, 1),
        (2, "client", 1, True, False, 1),
        (2, "client", 4, True, False, 1),
    ]


def test_the_mean_is_that_of_scipy() -> None:
    values = np.array([8.0, 19.5, 32.0, 27.25, 24.0, 24.0])
    found = mean_from_sums(len(values), values.sum(), (values**2).sum())
    limits = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.mean, found.sd) == pytest.approx((values.mean(), values.std(ddof=1)), rel=1e-12)
    assert (found.ci_low, found.ci_high) == pytest.approx((limits.low, limits.high), rel=1e-9)
    assert np.isnan([mean_from_sums(0, 0, 0).mean, mean_from_sums(1, 5, 25).ci_low]).all()
