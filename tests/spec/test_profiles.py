"""Profiles of national measures: found with and without their name, by their own rules, and honest about the rest."""

import pytest

from analytics.__main__ import command_line
from analytics.errors import MeasureProblem
from analytics.measures import ALL, definition_card, find, result_as_text
from analytics.measures.catalog import CATALOG, in_profile
from analytics.measures.definitions_document import card_lines
from analytics.measures.retention import TEDS_REASONS
from analytics.profiles import PROFILES
from analytics.store.codes import CODES
from pages.components.definitions import PROFILE_WORDS
from tests.spec.outcome_tables import one, small_snapshot

STYLES = {
    "followup_120_240": "hedis_style",
    "remission_120_240": "hedis_style",
    "response_120_240": "hedis_style",
    "remission_12m": "cms159_style",
}


@pytest.mark.parametrize(("name", "profile"), STYLES.items())
def test_a_measure_of_one_profile_is_found_with_and_without_naming_it(name: str, profile: str) -> None:
    measure = find(name, "phq9", profile)  # type: ignore[arg-type]
    assert measure is find(name, "phq9")
    assert (measure.name, measure.profile) == (f"{name}(phq9, {profile})", profile)
    assert measure.parameters["caseness"] == 10  # the usual threshold
    card = definition_card(measure)
    assert card.profile == profile
    assert any("further diagnoses" in rule for rule in card.deviations)
    assert dict(card_lines(card))["Not as the standard"] == "; ".join(card.deviations)


def test_another_profile_is_refused_with_those_there_are() -> None:
    with pytest.raises(MeasureProblem, match=r"remission_12m has no profile 'nhs'. It has: cms159_style"):
        find("remission_12m", "phq9", "nhs")
    with pytest.raises(MeasureProblem, match=r"completion has no profile 'nhs'. It has: default, teds"):
        find("completion", profile="nhs")
    with pytest.raises(MeasureProblem, match=r"PHQ-9 has no profile 'teds'. It has: default, nhs, strict"):
        find("recovery", "phq9", "teds")


def test_completion_by_teds_reasons() -> None:
    # In: eight people treated for substance use who left, one without a reason. Out: still here; no substance use.
    reasons = ["completed", "completed", "lost_contact", "administrative", "transferred_higher", "deceased", "moved"]
    rows = [{"is_sud": True, "discharge_reason": reason} for reason in reasons]
    rows += [{"is_sud": True, "discharge_reason": None}, {"is_sud": True, "los_days": None}, {"is_sud": False}]
    result = one(small_snapshot(rows), find("completion", profile="teds"))
    found = result.estimates[ALL]
    assert (result.measure.name, found.numerator, found.denominator, found.unknown) == ("completion(teds)", 2, 7, 1)
    positive = result.variants["completed or transferred (TEDS 1 and 4)"][ALL]
    assert (positive.numerator, positive.denominator) == (3, 7)
    assert [int(found.details[words]) for words in TEDS_REASONS] == [2, 1, 1, 1, 0, 1, 1]
    assert "TEDS 3, terminated by the facility: 1" in result_as_text(result)
    # The plain measure still counts everybody who left.
    assert one(small_snapshot(rows), find("completion")).estimates[ALL].denominator == 8


def test_every_reason_for_leaving_is_one_of_teds() -> None:
    codes = [code for reasons in TEDS_REASONS.values() for code in reasons]
    assert sorted(codes) == sorted(CODES["discharge_reason"])


def test_all_measures_of_a_profile_hold_each_once() -> None:
    usual, teds = in_profile(), in_profile("teds")
    assert len({(each.id, each.instrument) for each in usual}) == len(usual)
    assert {(each.id, each.instrument) for each in usual} == {(each.id, each.instrument) for each in CATALOG}
    assert find("remission_12m", "phq9") in usual and find("completion") in usual
    assert find("completion", profile="teds") in teds and find("completion") not in teds
    assert find("recovery", "phq9", "nhs") in in_profile("nhs")
    assert not [each for each in in_profile("nhs") if each.instrument and each.profile != "nhs"]


def test_profiles_come_from_one_list() -> None:
    assert tuple(PROFILE_WORDS) == PROFILES
    for profile in PROFILES:
        assert command_line().parse_args(["measure", "--all", "--profile", profile]).profile == profile
    assert {measure.profile for measure in CATALOG} == set(PROFILES)
