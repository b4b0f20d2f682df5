"""Why an episode is counted or not: what is said of every single one adds up to the ladder."""

from collections import Counter

import pytest

from analytics.errors import MeasureProblem
from analytics.measures import CATALOG, Cohort, Measure, evaluate, find
from analytics.measures.explain import Answer, Explanation, explain, explanation_as_text, values_in
from analytics.measures.ladder_sql import steps_of
from analytics.measures.results import Ladder
from analytics.measures.subjects import subject_of
from analytics.measures.types import Estimator
from analytics.store.outcomes import build_outcomes
from tests.property.random_clinic import random_clinic
from tests.spec.outcome_tables import EVERYTHING, SmallSnapshot, small_snapshot
from tests.spec.row_tables import load


@pytest.fixture(scope="module")
def clinic() -> SmallSnapshot:
    """Five people of a clinic in which every rule of the outcome tables has something to bite on."""
    connection = load(random_clinic(5, 5))
    build_outcomes(connection)
    connection.execute("create or replace table collected as select " + ", ".join(f"true as {n}" for n in EVERYTHING))
    return SmallSnapshot(connection)


def in_use(snapshot: SmallSnapshot) -> list[Measure]:
    used = {row[0] for row in snapshot.query("select distinct instrument from score_outcome", {})}
    return [
        measure
        for measure in CATALOG
        if measure.instrument in (None, *used) and subject_of(measure).not_about_episodes is None
    ]


def added_up(explanations: list[Explanation], ladder: Ladder, measure: Measure, steps: int) -> None:
    """Every rung of the ladder lost as many as say so of themselves."""
    left = Counter(each.step for each in explanations if each.answer is Answer.NOT_COUNTED)
    answers = Counter(each.answer for each in explanations)
    looked_at = len(explanations) - answers[Answer.NOT_LOOKED_AT]
    assert ladder.steps[0].count == looked_at, measure.name
    assert [rung.lost for rung in ladder.steps[1 : steps + 1]] == [left[step] for step in range(steps)], measure.name
    if len(ladder.steps) == steps + 1:
        # There was nothing to hold anybody against, so nothing is known of those who are left.
        assert answers[Answer.NOT_KNOWN] == ladder.steps[-1].count, measure.name
        return
    # What has to be known first is a rung of its own where a measure says so.
    known = ladder.steps[steps + 1 : steps + (2 if measure.known_first is None else 3)]
    assert sum(rung.lost for rung in known) == answers[Answer.NOT_KNOWN], measure.name
    assert ladder.steps[-1].count == answers[Answer.YES], measure.name
    if measure.estimator in (Estimator.PROPORTION, Estimator.RATIO, Estimator.RATE):
        assert ladder.steps[-1].lost == answers[Answer.NO], measure.name


@pytest.mark.parametrize("cohort", [Cohort(), Cohort(unit="person", start="2000")], ids=["everybody", "first, mature"])
def test_all_explanations_together_are_the_ladder_of_every_measure(clinic: SmallSnapshot, cohort: Cohort) -> None:
    numbers = [row[0] for row in clinic.query("select episode_id from episode_outcome order by 1", {})]
    measures = in_use(clinic)
    # The second pass is about units and maturity, which the step code alone decides.
    measures = measures if cohort.unit == "episode" else [each for each in measures if each.profile == "default"][::8]
    assert len(numbers) > 8
    for result in evaluate(measures, clinic, cohort, persons=False):
        said = [explain(result.measure, clinic, number, cohort) for number in numbers]
        steps = len(steps_of(result.measure, result.matured))
        added_up(said, result.ladder, result.measure, steps)
        for each in said:
            assert each.because
            assert each.values or not each.condition, (each.measure.name, each.condition)


def test_the_step_and_the_values_that_decided() -> None:
    rows = [
        {"discharge_reason": "completed"},
        {"discharge_reason": "lost_contact"},
        {"discharge_reason": None},
        {"los_days": None, "observed_days": 20},
    ]
    snapshot = small_snapshot(rows)
    told = [explain(find("completion"), snapshot, number) for number in (1, 2, 3, 4)]
    assert [each.answer for each in told] == ["yes", "no", "not known", "not counted"]
    assert [dict(each.values) for each in told] == [
        {"discharge_reason": "completed"},
        {"discharge_reason": "lost_contact"},
        {"discharge_reason": None},
        {"is_closed": False},
    ]
    assert told[3].step == 0 and told[3].because == "still in the program"
    assert explanation_as_text(told[2]).splitlines() == [
        "Completed the program (completion), episode 3: not known.",
        "Because: reason for leaving not recorded.",
        "Asked: discharge_reason = 'completed'",
        "  discharge_reason: not recorded",
        "This is about one person. It stays inside.",
    ]
    # By admission period, the fourth would have to wait: 20 days seen of 8 weeks and two.
    recent = explain(find("completion"), snapshot, 4, Cohort(start="2025"))
    assert (recent.because, dict(recent.values)) == ("too recent", {"observed_days": 20, "planned_weeks": 8})


def test_scores_come_with_the_threshold_they_were_held_against() -> None:
    snapshot = small_snapshot([{}], [{"episode_id": 1, "first": 16, "last": 11}])
    told = explain(find("reliable_improvement", "phq9"), snapshot, 1)
    assert told.answer == "no"  # 5 points; 6 are asked for
    assert dict(told.values) == {"first": 16, "last": 11, "$direction": 1, "$reliable_change": 6}
    assert (
        explain(find("reliable_improvement", "gad7"), snapshot, 1).because
        == "The program of this episode does not use gad7."
    )


def test_what_was_not_collected_is_not_a_no() -> None:
    snapshot = small_snapshot([{}], absent=["acute_event"])
    told = explain(find("readmission_30d"), snapshot, 1)
    assert (told.answer, told.because) == (
        Answer.NOT_COLLECTED,
        "Not collected: hospital, residential and detox stays.",
    )


def test_an_episode_that_is_not_there_or_not_looked_at() -> None:
    snapshot = small_snapshot([{"modality": "hybrid"}])
    with pytest.raises(MeasureProblem, match="There is no episode 2 in this snapshot"):
        explain(find("completion"), snapshot, 2)
    told = explain(find("completion"), snapshot, 1, Cohort({"modality": ("telehealth",)}))
    assert told.answer is Answer.NOT_LOOKED_AT


def test_a_code_in_a_text_is_no_column() -> None:
    columns = {"exit": "completed", "completed": 1, "day": 3}
    assert values_in("exit = 'completed' or day >= $day", columns, {"day": 2}) == {
        "exit": "completed",
        "day": 3,
        "$day": 2,
    }
