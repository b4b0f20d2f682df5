"""Five measures on twelve episodes, worked by hand: what is said, what is asked of the database, what comes out.

id      planned  stay  left because       PHQ-9   sessions (came, missed, late)  hospital after leaving
 1      8 wk     56    completed          18→6    20, 2, 0                       none
 2      8 wk     60    completed          15→10   18, 1, 1                       day 12
 3      8 wk     14    left early         20→–     3, 2, 0                       none
 4      8 wk     56    completed           8→5    15, 0, 0                       none
 5      8 wk     40    left early         16→17    9, 3, 1                       day 45
 6      8 wk     56    completed          22→9    21, 1, 0                       none
 7      8 wk     20    moved to hospital  19→25    6, 0, 0                       day 20
 8      8 wk     58    stepped down       14→7    17, 2, 0                       none
 9      8 wk     –     still here         17→–     4, 1, 0                       –
10      8 wk     29    not recorded       12→12    8, 2, 1                       not seen for 30 days
11      8 wk     –     still here         11→–     2, 0, 0                       –
12      8 wk     57    completed          13→4    19, 0, 1                       none
"""

from typing import Any

import pytest

from analytics.disclosure import internal_view
from analytics.measures import ALL, Estimate, StratifiedResult, definition_card, evaluate, find, result_as_text
from analytics.reports.sentences import level_sentence
from tests.spec.outcome_tables import SmallSnapshot, small_snapshot
from tests.spec.showable import PROVENANCE

ROWS: list[tuple[int | None, str | None, int, int | None, tuple[int, int, int], int | None]] = [
    (56, "completed", 18, 6, (20, 2, 0), None),
    (60, "completed", 15, 10, (18, 1, 1), 12),
    (14, "left_against_advice", 20, None, (3, 2, 0), None),
    (56, "completed", 8, 5, (15, 0, 0), None),
    (40, "lost_contact", 16, 17, (9, 3, 1), 45),
    (56, "completed", 22, 9, (21, 1, 0), None),
    (20, "transferred_higher", 19, 25, (6, 0, 0), 20),
    (58, "transferred_lower", 14, 7, (17, 2, 0), None),
    (None, None, 17, None, (4, 1, 0), None),
    (29, None, 12, 12, (8, 2, 1), None),
    (None, None, 11, None, (2, 0, 0), None),
    (57, "completed", 13, 4, (19, 0, 1), None),
]


@pytest.fixture(scope="module")
def twelve() -> SmallSnapshot:
    episodes: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    for number, (stay, reason, first, last, (came, missed, late), hospital) in enumerate(ROWS, start=1):
        episodes.append(
            {
                "los_days": stay,
                "discharge_reason": reason,
                "attended_sessions": came,
                "no_show_sessions": missed,
                "cancelled_late_sessions": late,
                "cancelled_client_sessions": late,
                "readmission_day": hospital,
                "captured_days": 10 if number == 10 else 200,
            }
        )
        scores.append({"episode_id": number, "instrument": "phq9", "first": first, "last": last})
    return small_snapshot(episodes, scores)


def result_of(twelve: SmallSnapshot, name: str, instrument: str | None = None) -> StratifiedResult:
    (result,) = evaluate([find(name, instrument)], twelve)
    return result


def counted(estimate: Estimate) -> tuple[int, int, int]:
    return estimate.numerator, estimate.denominator, estimate.unknown


def test_completed(twelve: SmallSnapshot) -> None:
    # Left: all but 9 and 11 = 10. Why is not recorded for 10: 9 known. Completed: 1, 2, 4, 6, 12 = 5. 5/9 = 55.6 %.
    result = result_of(twelve, "completion")
    assert counted(result.estimates[ALL]) == (5, 9, 1)
    assert result.estimates[ALL].value == pytest.approx(5 / 9)
    card = definition_card(result.measure)
    assert card.surveyor.startswith(
        "Numerator: people who had completed the program; denominator: people who left the program, with a recorded "
        "reason; exclusions: still in the program; "
    )
    assert "(discharge_reason = 'completed') as o0" in card.sql
    assert (
        "55.6% (26.7% to 81.1%) of the 9 episodes with a recorded reason had completed the program (5)."
        in result_as_text(result)
    )


def test_retained_at_day_30(twelve: SmallSnapshot) -> None:
    # Nobody died; all twelve came at least 30 days ago. Out before day 30 without completing: 3 (day 14), 7 (day 20).
    # 10 left on day 29, why is not known: it may have been completion. The other 9 stayed: 9 of 11.
    result = result_of(twelve, "retention_30")
    assert counted(result.estimates[ALL]) == (9, 11, 1)
    card = definition_card(result.measure)
    assert card.window == "the first 30 days from admission"
    assert "coalesce(exit_day, observed_days) >= 30 or exit = 'completed'" in card.sql


def test_clearly_better(twelve: SmallSnapshot) -> None:
    # Left with two scores: 1 (−12), 2 (−5), 4 (−3), 5 (+1), 6 (−13), 7 (+6), 8 (−7), 10 (0), 12 (−9) = 9; 3 has one.
    # Reliable change of the PHQ-9 is 6: better are 1, 6, 8, 12 = 4 of 9.
    result = result_of(twelve, "reliable_improvement", "phq9")
    assert counted(result.estimates[ALL]) == (4, 9, 1)
    card = definition_card(result.measure)
    assert [(fact.words, fact.value) for fact in card.thresholds] == [("reliable change", ">= 6")]
    assert "-- $m0_reliable_change = 6" in card.sql
    assert "(((first - last) * $m0_direction) >= $m0_reliable_change) as o0" in card.sql
    assert "44.4%" in result_as_text(result)


def test_attended(twelve: SmallSnapshot) -> None:
    # Came: 20+18+3+15+9+21+6+17+4+8+2+19 = 142. Missed: 2+1+2+0+3+1+0+2+1+2+0+0 = 14. Late: 1+1+1+1 = 4.
    # 142 of 142 + 14 + 4 = 160: 88.75 %.
    result = result_of(twelve, "attendance")
    assert counted(result.estimates[ALL]) == (142, 160, 0)
    assert result.estimates[ALL].value == pytest.approx(0.8875)
    card = definition_card(result.measure)
    assert card.surveyor.startswith("Numerator: sessions that were attended; denominator: booked sessions; ")
    assert "attended_sessions + no_show_sessions + cancelled_late_sessions" in card.sql


def test_hospital_within_30_days(twelve: SmallSnapshot) -> None:
    # Left alive: 10. Stays on days 1 to 30: 2 (day 12), 7 (day 20); 5 came on day 45, which is no. 10 was seen for
    # ten days only, without a stay: not known. 2 of 9.
    result = result_of(twelve, "readmission_30d")
    assert counted(result.estimates[ALL]) == (2, 9, 1)
    card = definition_card(result.measure)
    assert card.window == "days 1 to 30 after leaving"
    assert "readmission_day between 1 and 30" in card.sql
    assert [step.count for step in result.ladder.steps] == [12, 10, 10, 10, 9, 2]


def test_what_is_counted_and_what_is_the_value_have_their_own_units() -> None:
    # Longest runs of clear weeks 1, 2, 3: half had two or fewer. Clear weeks: 1 + 2 + 3 of 2 + 3 + 3 = 6 of 8.
    rows = [{"is_sud": True, "use_pattern": pattern} for pattern in ("-+", "+--", "---")]
    snapshot = small_snapshot(rows)
    said = []
    for name in ("use_longest_abstinence", "use_percent_negative"):
        (result,) = evaluate([find(name)], snapshot)
        said.append(level_sentence(internal_view(result, PROVENANCE, "all episodes")))
    assert said[0].startswith("Half of the 3 episodes known had a longest time without use of 2 weeks or less.")
    assert said[1].startswith("75% of the 8 weeks were clear")
