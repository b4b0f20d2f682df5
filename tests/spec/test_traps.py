"""Ways to get a flattering or a wrong number: each test computes the naive figure, and ours, which differs.

The numbers are those of the table of traps in the measure catalogue (`measures.md`, section 8). Traps of words, pages
and intake are tested where these are tested.
"""

import math
from typing import Any

import numpy as np
import pytest

from analytics.errors import MeasureProblem
from analytics.instruments import find_instrument
from analytics.measures import ALL, Cohort, Estimate, StratifiedResult, Stratifier, evaluate, find
from analytics.measures.estimate import UNKNOWN_AS_NO
from analytics.measures.fair_comparison import compare_fairly
from analytics.statistics.change import mean_change
from analytics.statistics.control_charts import xmr_chart
from analytics.statistics.multiplicity import adjusted_p_values
from analytics.statistics.survival import cumulative_incidence, kaplan_meier
from tests.spec.built_outcomes import one as built
from tests.spec.built_outcomes import outcome
from tests.spec.outcome_tables import Row, SmallSnapshot, one, small_snapshot

LOST: Row = {"discharge_reason": "lost_contact"}


def value(snapshot: SmallSnapshot, name: str, instrument: str | None = None, **cohort: Any) -> Estimate:
    return one(snapshot, find(name, instrument), **cohort).estimates[ALL]


def scored(*pairs: tuple[float | None, float | None], instrument: str = "phq9") -> SmallSnapshot:
    """One person who left per pair of first and last score."""
    scores = [
        {"episode_id": number, "instrument": instrument, "first": first, "last": last}
        for number, (first, last) in enumerate(pairs, start=1)
    ]
    return small_snapshot([{}] * len(pairs), scores)


def printed(result: StratifiedResult, words: str) -> tuple[int, int]:
    """Who meets a step that takes nobody out, and who does not."""
    ((met, not_met),) = [(step.count, step.lost) for step in result.ladder.printed if step.label == words]
    return met, not_met


# Who is counted


def test_1_completers_only() -> None:
    # Six completed, five of them clearly better; four left early, one measured again and not better.
    episodes: list[Row] = [{}] * 6 + [LOST] * 4
    pairs = [(18, 6)] * 5 + [(18, 17)] + [(18, 16)] + [(18, None)] * 3
    scores = [{"episode_id": n, "first": first, "last": last} for n, (first, last) in enumerate(pairs, start=1)]
    result = one(small_snapshot(episodes, scores), find("reliable_improvement", "phq9"))
    found = result.estimates[ALL]
    finished = [last for _, last in pairs[:6]]
    assert np.mean([last == 6 for last in finished]) == pytest.approx(0.833, abs=0.001)  # naive
    assert found.value == pytest.approx(5 / 7)
    assert result.variants[UNKNOWN_AS_NO][ALL].value == 0.5
    assert (found.lower_bound, found.upper_bound) == pytest.approx((0.5, 0.8))
    # Admitted, left, a score at the start, a later one, clearly better.
    assert [step.count for step in result.ladder.steps] == [10, 10, 10, 7, 5]


def test_3_people_without_a_score_stay_in_the_count() -> None:
    result = one(scored((18, 6), (15, None), (None, None)), find("reliable_improvement", "phq9"))
    inner_join = [step.count for step in result.ladder.steps][-2]
    assert inner_join == 1  # naive: 1 of 1
    assert result.ladder.steps[0].count == 3
    assert result.estimates[ALL].unknown == 2


def test_4_people_who_are_still_here_have_not_failed() -> None:
    # ex: m12_completion: 7 completed, 3 left otherwise, 2 are still here
    found = value(small_snapshot([{}] * 7 + [LOST] * 3 + [{"los_days": None}] * 2), "completion")
    assert found.numerator / 12 == pytest.approx(0.583, abs=0.001)  # naive
    assert found.value == 0.7


def test_5_closed_stays_alone_are_too_short_where_a_program_grows() -> None:
    # Ten left after two weeks; ten more are here for 60 days.
    snapshot = small_snapshot([{"los_days": 14}] * 10 + [{"los_days": None, "observed_days": 60}] * 10)
    assert value(snapshot, "length_of_stay").value == 14  # closed stays, and its ladder says so
    staying = value(snapshot, "retention_km")
    assert staying.details["still_in_30"] == 0.5
    assert staying.value == 14 and math.isnan(staying.ci_high)
    more = small_snapshot([{"los_days": 14}] * 9 + [{"los_days": None, "observed_days": 60}] * 11)
    assert value(more, "length_of_stay").value == 14
    assert math.isnan(value(more, "retention_km").value)  # more than half are still here on day 60


def test_6_a_stay_ends_with_the_last_session_and_not_with_the_paperwork() -> None:
    came = [{"episode_id": 1, "day": day} for day in range(0, 31, 3)]
    left = {"los_days": 60, "discharge_reason": "lost_contact"}
    assert built("los_days, exit_day", episode=[left], attendance=came) == (60, 30)
    assert built("exit_day", episode=[left | {"discharge_reason": "completed"}], attendance=came) == 60


def test_7_and_8_windows_that_nobody_could_see_are_no_success() -> None:
    # Two left long ago and one of them was in a hospital; eight left last week; of two nobody could see stays.
    rows: list[Row] = [{"readmission_day": 9, "captured_days": 90}, {"captured_days": 90}]
    rows += [{"observed_days": 56 + 7, "captured_days": 7}] * 8
    rows += [{"captured_days": 0}] * 2
    found = value(small_snapshot(rows), "readmission_30d")
    assert found.numerator / len(rows) == pytest.approx(0.083, abs=0.001)  # naive: who has no row was well
    assert (found.value, found.too_recent, found.unknown) == (0.5, 8, 2)


def test_9_people_who_came_twice_are_not_two_people() -> None:
    # ex: m12_person_level: by stay 4 of 9, by person 3 of 8; here one of three people stayed twice
    episodes: list[Row] = [{"person_id": 1}, {"person_id": 1, "start_day": 90}, {"person_id": 2}, {"person_id": 3}]
    pairs = [(18, 6), (16, 4), (15, 14), (14, 13)]
    scores = [{"episode_id": n, "first": first, "last": last} for n, (first, last) in enumerate(pairs, start=1)]
    snapshot = small_snapshot(episodes, scores)
    assert value(snapshot, "reliable_improvement", "phq9").value == 0.5
    assert value(snapshot, "reliable_improvement", "phq9", unit="person").value == pytest.approx(1 / 3)


def test_32_deaths_are_a_rung_and_do_not_vanish() -> None:
    sud: Row = {"is_sud": True}
    rows: list[Row] = [sud | {"followup_180_reached": True, "followup_180_abstinent": True}] * 3
    rows += [sud | {"followup_180_outcome": "deceased", "followup_180_reached": False}] * 2
    result = one(small_snapshot(rows), find("abstinence_followup_180"))
    assert result.estimates[ALL].value == 1.0
    assert [step.lost for step in result.ladder.steps if step.lost_label == "died"] == [2]


# Time


def test_2_staying_long_is_no_group_that_was_there_from_the_start() -> None:
    # ex: immortal: 70 stayed 90 days, 7 of them in a hospital later; 30 left before, 9 in a hospital before day 90 and
    # 3 after it. By what came about later: 10 against 40 %. Among those without an event on day 90: 10 against 14 %.
    stayed, left = [(90, 120)] * 7 + [(90, None)] * 63, [(20, 60)] * 9 + [(20, 120)] * 3 + [(20, None)] * 18
    naive = [np.mean([event is not None for _, event in group]) for group in (stayed, left)]
    assert naive == pytest.approx([0.1, 0.4])
    at_risk = [[event for _, event in group if event is None or event > 90] for group in (stayed, left)]
    assert [np.mean([event is not None for event in group]) for group in at_risk] == pytest.approx([0.1, 3 / 21])
    rows: list[Row] = [
        {"los_days": los, "readmission_day": None if event is None else event - los, "captured_days": 400,
         "dose_band": "every week" if los == 90 else "none"}
        for los, event in stayed + left
    ]  # fmt: skip
    snapshot = small_snapshot(rows)
    assert value(snapshot, "readmission_180d").value == pytest.approx(0.19)  # all who were admitted, together
    for by in (Stratifier.DOSE_BAND, Stratifier.EXIT, Stratifier.AT_LANDMARK):
        with pytest.raises(MeasureProblem, match="cannot be compared fairly"):
            compare_fairly(find("readmission_180d"), snapshot, by)
    from_day_90 = one(snapshot, find("hospital_after_90"), Stratifier.AT_LANDMARK)
    found = {group: (each.numerator, each.denominator) for group, each in from_day_90.estimates.items()}
    assert found == {ALL: (10, 91), "still in": (7, 70), "left before": (3, 21)}
    (lost,) = [step.lost for step in from_day_90.ladder.steps if step.lost_label == "in a hospital by day 90"]
    assert lost == 9
    refused = one(snapshot, find("readmission_180d"), Stratifier.AT_LANDMARK)
    assert str(refused.estimates["not known"].reason).startswith("Groups by how long people stayed")


def test_16_lengths_are_compared_as_planned_and_not_as_attained() -> None:
    # ex: length_bias: of 100 planned for 8 weeks 60 finish and 33 of them improve; of 100 planned for 12 weeks 60 and
    # 36; 40 leave in week 3 in each, and 4 of them improve.
    rows: list[Row] = []
    scores: list[dict[str, Any]] = []
    for weeks, better in ((8, 33), (12, 36)):
        for number in range(100):
            finished = number < 60
            rows.append({"planned_weeks": weeks, "los_days": 7 * weeks if finished else 21})
            improved = number < better if finished else number >= 96
            scores.append({"episode_id": len(rows), "first": 18, "last": 6 if improved else 17})
    result = one(small_snapshot(rows, scores), find("reliable_improvement", "phq9"), Stratifier.PLANNED_WEEKS)
    by_planned = [each.value for group, each in result.estimates.items() if group != ALL]
    assert by_planned == pytest.approx([0.37, 0.40])
    attained = {
        days: np.mean([score["last"] == 6 for row, score in zip(rows, scores, strict=True) if row["los_days"] == days])
        for days in (21, 56, 84)
    }
    assert attained == pytest.approx({21: 0.10, 56: 0.55, 84: 0.60})


def test_18_ways_of_leaving_compete() -> None:
    # ex: aj_vs_km, day 40: as if the completers could still leave early .672, in truth .492
    time, cause = [5, 8, 12, 15, 20, 20, 28, 30, 35, 40], np.array([1, 2, 1, 0, 2, 1, 2, 0, 1, 2])
    naive = 1 - kaplan_meier(time, cause == 1).at(40).value
    ours = cumulative_incidence(time, cause).at(1, 40).value
    assert (naive, ours) == pytest.approx((0.672, 0.492), abs=5e-4)


def test_ties_leave_before_they_are_censored() -> None:
    # Of four, one leaves on day 10 and two were last seen on it. Taking these out first would make it one of two.
    assert kaplan_meier([10, 10, 10, 20], [1, 0, 0, 0]).at(10).value == 0.75
    assert kaplan_meier([10, 9.9, 9.9, 20], [1, 0, 0, 0]).at(10).value == 0.5


def test_34_a_direct_transfer_is_no_readmission_and_is_not_hidden() -> None:
    rows: list[Row] = [{"direct_transfer": True, "step_up_day": 56}, {"readmission_day": 3}, {}, {}]
    found = value(small_snapshot(rows), "readmission_30d")
    assert (found.value, found.details["direct_transfers"]) == (0.25, 1)  # naive: 2 of 4
    assert value(small_snapshot(rows), "step_up_during_episode").value == 0.25


def test_33_nobody_readmitted_is_said_only_where_stays_would_be_known() -> None:
    unseen = small_snapshot([{}] * 20, absent=["acute_event"])
    found = value(unseen, "readmission_30d")
    assert not found.has_value and found.reason is not None  # naive: 0 of 20, 0 %


# Scores


def test_10_who_started_well_cannot_recover() -> None:
    snapshot = scored((6, 4), (8, 3), (18, 6), (16, 12))
    assert np.mean([last < 10 for last in (4, 3, 6, 12)]) == 0.75  # naive: below the line at the end
    assert value(snapshot, "recovery", "phq9").value == 0.5


def test_11_a_start_near_the_line_leaves_little_room_for_clear_change() -> None:
    # From 10 to 5: half the symptoms are gone, and it is less than the questionnaire's error of 6 points.
    snapshot = scored((10, 5), (20, 15))
    assert value(snapshot, "reliable_improvement", "phq9").numerator == 0
    assert value(snapshot, "response", "phq9").numerator == 1


def test_12_a_start_near_the_worst_cannot_get_clearly_worse() -> None:
    # measures.md 8, trap 12: "show n able to deteriorate (first <= max - RC)": PHQ-9 goes to 27 and clear change is 6
    # points, so 21 could and 22 could not; not measured again says nothing; ORS falls, from 5 to 0, in tenths.
    result = one(scored((24, 27), (21, 27), (22, 3), (10, None)), find("reliable_deterioration", "phq9"))
    assert (result.estimates[ALL].numerator, result.estimates[ALL].denominator) == (1, 3)
    assert printed(result, "started where getting clearly worse was possible") == (1, 2)
    of_tenths = one(scored((5.0, 0.0), (4.9, 0.1), instrument="ors"), find("reliable_deterioration", "ors"))
    assert printed(of_tenths, "started where getting clearly worse was possible") == (1, 1)
    assert "cannot get clearly worse" in " ".join(find("reliable_deterioration", "phq9").notes)


def test_13_and_14_neither_the_crisis_before_nor_a_score_weeks_later_is_the_start() -> None:
    # ex: pairing: 20 three weeks before, 15 on the day, 6 at the end: naive 14 points, ours 9.
    rows = [{"episode_id": 1, "day": day, "total": total} for day, total in ((-21, 20), (0, 15), (56, 6))]
    first, last = built("first, last", "score_outcome", episode=[{}], score=rows)
    assert (20 - 6, first - last) == (14, 9)
    # The first score in week 3 comes after the early gains: there is no start, and nothing is made of it.
    late = [{"episode_id": 1, "day": day, "total": total} for day, total in ((21, 12), (56, 6))]
    assert outcome("first", "score_outcome", episode=[{}], score=late) in ([None], [])


def test_26_a_last_score_from_long_before_the_end_has_a_line_of_its_own() -> None:
    # measures.md 8, trap 26: "last score >28 d before discharge flagged stale, shown as its own ladder line". All
    # left on day 56, the last one with the session of day 40, whatever the paperwork said.
    last_days = [27, 28, 60, 5, None, 12]
    scores = [
        {"episode_id": number, "first": 18, "first_day": 0, "last": None if day is None else 6, "last_day": day}
        for number, day in enumerate(last_days, start=1)
    ]
    snapshot = small_snapshot([{}] * 5 + [LOST | {"los_days": 56, "exit_day": 40}], scores)
    for measure in ("reliable_improvement", "recovery", "mean_change", "paired_score"):
        result = one(snapshot, find(measure, "phq9"))
        # 27 and 5 are older, 28 is not; 12 is 28 days before day 40.
        assert printed(result, "have a last score from more than 28 days before leaving") == (2, 3)
    assert value(snapshot, "reliable_improvement", "phq9").denominator == 5  # a line, and no exclusion
    # Profile nhs has a last score of its own.
    scores = [{"episode_id": 1, "nhs_first": 18, "nhs_last": 6, "nhs_last_day": 20, "last_day": 50}]
    of_nhs = one(small_snapshot([{"attended_days": 9}], [scores[0] | {"treated": True}]),
                 find("reliable_improvement", "phq9", "nhs"))  # fmt: skip
    assert printed(of_nhs, "have a last score from more than 28 days before leaving") == (1, 0)


def test_19_long_stays_do_not_speak_for_everybody() -> None:
    # One person came to 90 of 100 sessions, three to none of 4.
    rows: list[Row] = [{"attended_sessions": 90, "no_show_sessions": 10, "cancelled_late_sessions": 0,
                        "cancelled_client_sessions": 0}]  # fmt: skip
    rows += [{"attended_sessions": 0, "no_show_sessions": 4, "cancelled_late_sessions": 0,
              "cancelled_client_sessions": 0}] * 3  # fmt: skip
    found = value(small_snapshot(rows), "attendance")
    assert found.value == pytest.approx(90 / 112)
    assert found.details["mean_of_episodes"] == pytest.approx(0.9 / 4)


def test_23_an_effect_size_says_what_it_divides_by() -> None:
    # The same fall of 5 points on average; the closer the two scores hang together, the larger d_z, and d_av stays.
    first = [10, 12, 14, 16, 18, 20]
    together, apart = mean_change(first, [6, 7, 8, 11, 13, 15]), mean_change(first, [15, 6, 13, 7, 11, 8])
    assert together.mean == apart.mean == 5
    assert together.d_z > 5 * apart.d_z
    assert together.d_av == pytest.approx(apart.d_av)


def test_24_notable_is_not_reliable() -> None:
    five_points = scored((15, 10))
    assert value(five_points, "mcid_improved", "phq9").value == 1.0
    assert value(five_points, "reliable_improvement", "phq9").value == 0.0


def test_25_another_threshold_is_another_measure() -> None:
    snapshot = scored((15, 10), instrument="gad7")
    default, strict = (find("reliable_improvement", "gad7", profile) for profile in ("default", "strict"))
    found = [one(snapshot, each).estimates[ALL].value for each in (default, strict)]
    assert found == [1.0, 0.0]
    assert (default.parameters["reliable_change"], strict.parameters["reliable_change"]) == (4, 6)
    assert default.name != strict.name


def test_36_and_37_forms_that_differ_are_two_and_a_level_has_no_mean() -> None:
    seven_days, thirty_days = find_instrument("bam_iop_use"), find_instrument("bam_use")
    assert seven_days is not None and thirty_days is not None and seven_days.id != thirty_days.id
    with pytest.raises(MeasureProblem, match="rank"):
        find("mean_change", "cssrs_level")


def test_39_tenths_do_not_fall_short_by_rounding() -> None:
    naive = [(first, first + 5) for first in (value / 10 for value in range(350)) if (first + 5) - first < 5]
    assert len(naive) > 20  # a change of exactly 5 points that binary numbers make a little less
    found = value(scored(*naive, instrument="ors"), "reliable_improvement", "ors")
    assert found.value == 1.0


# Substance use


def test_27_unknown_as_using_is_shown_with_its_bounds() -> None:
    # ex: abst_followup: 39 of 60 reached, of 100 due: 65 %, 39 %, and anything from 39 to 79 %
    sud: Row = {"is_sud": True}
    rows: list[Row] = [sud | {"followup_180_abstinent": True}] * 39 + [sud | {"followup_180_abstinent": False}] * 21
    rows += [sud] * 40
    found = value(small_snapshot(rows), "abstinence_followup_180")
    assert found.numerator / found.known == 0.65  # naive: of those reached
    assert (found.value, found.lower_bound, found.upper_bound) == (0.39, 0.39, 0.79)


def test_28_a_month_behind_walls_is_counted() -> None:
    rows: list[Row] = [{"is_sud": True, "abstinent_admission": True, "abstinent_discharge": True}] * 3
    rows += [rows[0] | {"controlled_admission": True}]
    assert value(small_snapshot(rows), "abstinence_discharge").details["controlled_environment"] == 1


def test_29_and_30_a_prescribed_medicine_is_no_use_and_a_positive_wins() -> None:
    def tests(*results: str) -> tuple[int, int]:
        rows = [
            {"episode_id": 1, "day": 10, "source": "urine", "substance": name, "result": result}
            for name, result in zip(("opioids", "cocaine", "alcohol"), results, strict=False)
        ]
        found: tuple[int, int] = built("tests_negative, tests_positive", episode=[{}], substance_use=rows)
        return found

    assert tests("prescribed_positive", "negative") == (1, 0)  # naive: a positive
    assert tests("positive", "negative") == (0, 1)


# Several numbers side by side


def test_20_four_people_are_not_the_best_site() -> None:
    found = value(small_snapshot([{}] * 3 + [LOST]), "completion")
    assert found.value == 0.75
    assert (found.ci_low, found.ci_high) == pytest.approx((0.301, 0.954), abs=5e-4)
    assert find("completion").minimum_for_headline == 30


def test_21_thirty_looks_find_something_by_chance() -> None:
    by_chance = [(rank + 0.5) / 30 for rank in range(30)]
    assert sum(p < 0.05 for p in by_chance) == 1
    assert not (adjusted_p_values(by_chance) < 0.05).any()


def test_22_the_best_month_is_one_of_many() -> None:
    shares = [0.61, 0.66, 0.58, 0.63, 0.70, 0.60, 0.64, 0.57, 0.65, 0.62, 0.59, 0.63]
    chart = xmr_chart(shares)
    assert max(shares) - float(chart.centre[0]) > 0.07
    assert chart.special[int(np.argmax(shares))] is None


def test_31_a_move_to_the_hospital_is_no_completion() -> None:
    snapshot = small_snapshot([{}, {}, {"discharge_reason": "transferred_higher"}, LOST])
    (result,) = evaluate([find("completion")], snapshot, Cohort())
    assert result.variants["TEDS positive (any transfer)"][ALL].value == 0.75
    assert result.estimates[ALL].value == 0.5
    assert result.variants["completed or stepped down as planned"][ALL].value == 0.5


def test_42_limits_computed_anew_swallow_the_change() -> None:
    before, after = [50, 52, 49, 51, 50, 53, 48, 51, 50, 52, 49, 51], [56, 58, 55, 57, 56, 58, 57, 56, 58, 55, 57, 56]
    frozen, anew = xmr_chart(before + after, baseline=12), xmr_chart(before + after)
    assert int(frozen.outside[12:].sum()) > int(anew.outside[12:].sum())
    assert frozen.centre[0] == pytest.approx(np.mean(before))
