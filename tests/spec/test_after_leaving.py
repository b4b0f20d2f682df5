"""What is known of people after they left, from row tables to the measure (measures.md 0, 4.E and traps 27, 28 and 32).

Every stay is 56 days long; a call's day counts from leaving, a test's day from admission.
"""

from typing import Any

import pytest

from analytics.measures import ALL, StratifiedResult, find
from analytics.measures.cards import definition_card
from analytics.store.outcomes import build_outcomes
from tests.spec.built_outcomes import one as one_row
from tests.spec.outcome_tables import SmallSnapshot, one
from tests.spec.row_tables import row_tables

SEEN = "first_use_day, last_clean_day, followup_180_continuous"


def call(due_day: int, episode_id: int = 1, **said: object) -> dict[str, object]:
    return {"episode_id": episode_id, "due_day": due_day} | said


def found(measure: str, stays: int = 1, **tables: Any) -> StratifiedResult:
    """Return a measure over so many people who left an alcohol program."""
    episodes: list[dict[str, object]] = [{"primary_condition": "alcohol", "track": None}] * stays
    connection = row_tables(**{"episode": episodes, **tables})
    build_outcomes(connection)
    return one(SmallSnapshot(connection), find(measure))


# Use since leaving


def test_use_before_leaving_is_no_relapse_at_an_early_first_call() -> None:
    # E, time_to_first_use: "event = first reported/tested use", from discharge. Called on day 21, 25 of the 30 days
    # before without use: nine of them lie before leaving, and the person says that there was none since.
    half_a_year = call(180, completed_day=180, days_abstinent_past_30=30, any_use_since_discharge=False)
    early = call(30, completed_day=21, days_abstinent_past_30=25)
    assert one_row(SEEN, episode=[{}], followup=[early | {"any_use_since_discharge": False}, half_a_year]) == (
        None, 180, True,
    )  # fmt: skip
    # Not asked: the five days may all lie before leaving, or not.
    assert one_row("first_use_day, last_clean_day", episode=[{}], followup=[early]) == (None, None)
    # Ten days of use do not fit into nine: there was use since, whatever is said of it.
    many = early | {"days_abstinent_past_30": 20, "any_use_since_discharge": False}
    assert one_row(SEEN, episode=[{}], followup=[many, half_a_year]) == (21, 180, False)
    # From day 30 on every day of the answer lies after leaving.
    late = call(30, completed_day=30, days_abstinent_past_30=29)
    assert one_row("first_use_day", episode=[{}], followup=[late]) == 30


def test_thirty_clean_days_say_nothing_of_the_days_before_them() -> None:
    # Called on day 45: days 1 to 14 are not covered. On day 30 they are, or when the person says so.
    clean: dict[str, Any] = {"days_abstinent_past_30": 30}
    for day, said, last_clean_day in ((45, None, None), (31, None, None), (30, None, 30), (45, False, 45)):
        rows = [call(30, completed_day=day, any_use_since_discharge=said, **clean)]
        assert one_row("last_clean_day", episode=[{}], followup=rows) == last_clean_day


def test_use_that_was_seen_is_known_whether_or_not_the_person_was_reached() -> None:
    # E, abstinence_continuous: "no use since discharge on all contacts and tests"; trap 27, the interval of possible
    # values: whoever used cannot turn out to have not used at all.
    used_early = call(30, 1, completed_day=30, any_use_since_discharge=True)
    tests = [
        {"episode_id": number, "day": 56 + day, "source": "urine", "result": result}
        for number, day, result in ((2, 100, "positive"), (3, 241, "positive"), (4, 100, "negative"))
    ]
    calls = [used_early, *(call(180, number, reached=False) for number in (1, 2, 3, 4))]
    # 1 told of use, 2 was tested positive on day 100. 3 only after the window was over; of 4 and 5 nobody knows.
    estimate = found("abstinence_continuous", stays=5, followup=calls, substance_use=tests).estimates[ALL]
    assert (estimate.numerator, estimate.denominator, estimate.unknown) == (0, 5, 3)
    assert estimate.upper_bound == 3 / 5


def test_what_was_said_of_the_time_since_leaving_answers_for_the_last_thirty_days() -> None:
    # E, abstinence_continuous: "Always <= point rate"; nobody asked for the days. Called on day 31, use since leaving
    # may have been on day 1; on day 29, no use since leaving says nothing of the last day of the stay.
    for day, said, abstinent in ((30, True, False), (31, True, None), (30, False, True), (29, False, None)):
        rows = [call(30, completed_day=day, any_use_since_discharge=said)]
        assert one_row("followup_30_abstinent", episode=[{}], followup=rows) is abstinent


# Who is due for a call


def lost(result: StratifiedResult) -> dict[str, int]:
    return {step.lost_label: step.lost for step in result.ladder.steps if step.lost}


def test_a_death_told_at_one_call_holds_for_every_later_one() -> None:
    # Trap 32, "died count on every follow-up table"; E: "minus died before interview window". 1 died by the first call
    # and was never written down again, 2 by the second and was tried once more, 3 lives.
    calls = [
        call(30, 1, reached=False, outcome="deceased"),
        call(30, 2, completed_day=30, days_abstinent_past_30=30),
        call(90, 2, reached=False, outcome="deceased"),
        call(180, 2, reached=False, outcome="no_answer"),
        call(180, 3, completed_day=180, days_abstinent_past_30=30),
    ]
    for day, died, due in ((30, 1, 2), (90, 2, 1), (180, 2, 1), (365, 2, 1)):
        result = found(f"abstinence_followup_{day}", stays=3, followup=calls)
        assert (lost(result)["died"], result.estimates[ALL].denominator) == (died, due)
    reached = found("followup_180_reach", stays=3, followup=calls).estimates[ALL]
    assert (reached.numerator, reached.denominator) == (1, 1)
    assert found("abstinence_continuous", stays=3, followup=calls).estimates[ALL].denominator == 1


def test_a_month_in_a_controlled_place_is_a_rung_and_no_abstinence() -> None:
    # Trap 28, "flag, own line"; E: "minus incarcerated/controlled whole 30 d (own line)". 1 lived in a hospital, 2 was
    # in one but could not be spoken to, 3 at home; 4 told in month nine where she lived then, which says nothing.
    clean: dict[str, Any] = {"days_abstinent_past_30": 30, "any_use_since_discharge": False}
    calls = [
        call(180, 1, completed_day=180, controlled_environment=True, **clean),
        call(180, 2, reached=False, controlled_environment=True),
        call(180, 3, completed_day=180, controlled_environment=False, **clean),
        call(180, 4, completed_day=270, controlled_environment=True, **clean),
    ]
    rung = "in jail, hospital or another controlled place in the month before"
    for measure in ("abstinence_followup_180", "abstinence_continuous"):
        result = found(measure, stays=4, followup=calls)
        assert (lost(result)[rung], result.estimates[ALL].numerator, result.estimates[ALL].denominator) == (2, 1, 2)
    # Somebody reached there was reached.
    reached = found("followup_180_reach", stays=4, followup=calls).estimates[ALL]
    assert (reached.numerator, reached.denominator) == (2, 4)


def test_all_who_are_due_are_given_beside_those_who_agreed() -> None:
    # E, abstinence_followup: "Consent: give both 'all due' and 'consented'" (ex: abst_followup, 39/100 beside 39/115).
    # Of six, two did not agree: one says so with the stay and was never called, one at the call.
    said: list[object] = [True, None, True, None, False, True]
    stays = [{"primary_condition": "alcohol", "track": None, "consent_followup": agreed} for agreed in said]
    calls = [
        call(180, 1, completed_day=180, days_abstinent_past_30=30),
        call(180, 2, completed_day=180, days_abstinent_past_30=0),
        call(180, 6, reached=False, outcome="no_consent"),
    ]
    beside = "counting also people who had not agreed to be called"
    for measure, consented, all_due in (
        ("abstinence_followup_180", (1, 4, 2), (1, 6, 4)),
        ("followup_180_reach", (2, 4, 0), (2, 6, 0)),
    ):
        result = found(measure, episode=stays, followup=calls)
        assert lost(result)["had not agreed to be called"] == 2
        both = (result.estimates[ALL], result.variants[beside][ALL])
        assert [(each.numerator, each.denominator, each.unknown) for each in both] == [consented, all_due]
    assert beside in definition_card(find("abstinence_followup_180")).variants
    # No consent recorded anywhere takes nobody out (measures.md 0).
    assert found("followup_180_reach", stays=2, followup=calls[:1]).estimates[ALL].denominator == 2


# Half a year after admission


def test_the_interview_of_gpra_counts_its_days_from_admission() -> None:
    # measures.md 0: "GPRA-style 150-245 after admission". Left on day 56: the window is day 94 to 189 after leaving.
    for due_day, day, reached in (
        (90, 93, None), (90, 94, True), (90, 120, True), (180, 189, True), (180, 190, None), (30, 94, True),
    ):  # fmt: skip
        rows = [call(due_day, completed_day=day)]
        assert one_row("gpra_reached", episode=[{}], followup=rows) is reached
    # Tried in these days and not reached; a call without a day stands on the day it was due (56 + 90 is too early).
    tried = call(180, attempted_day=170, reached=False)
    assert one_row("gpra_reached", episode=[{}], followup=[tried]) is False
    assert one_row("gpra_reached", episode=[{}], followup=[call(90, completed_day=100), tried]) is True
    assert one_row("gpra_reached", episode=[{}], followup=[call(180)]) is True
    assert one_row("gpra_reached", episode=[{}], followup=[call(90)]) is None


def test_who_is_due_half_a_year_after_admission_is_counted_from_admission() -> None:
    # E, followup_rate: "GPRA: 6-month interview from 1 month before to 2 months after the anniversary of INTAKE".
    stays: list[dict[str, object]] = [
        {},  # 1 reached: yes
        {},  # 2 not reached: no
        {},  # 3 no call recorded: counted as no
        {"los_days": 245},  # 4 left on the last day: due, no call
        {"los_days": 246},  # 5 still in the program then
        {"los_days": None, "observed_days": 300},  # 6 has not left
        {},  # 7 died by the call of day 56 + 180 = 236
        {},  # 8 died by the call of day 56 + 365: after these days, so due
        {},  # 9 in custody at the call of day 236
        {},  # 10 in custody at the call of day 56 + 30 = 86: due
        {"consent_followup": False},  # 11 never agreed
        {"observed_days": 244},  # 12 too recent
        {"los_days": 65},  # 13 in custody on day 155, reached on day 245: yes
    ]
    calls = [
        call(180, 1, completed_day=180),
        call(180, 2, attempted_day=180, reached=False, outcome="no_answer"),
        call(180, 7, reached=False, outcome="deceased"),
        call(365, 8, reached=False, outcome="deceased"),
        call(180, 9, reached=False, outcome="incarcerated"),
        call(30, 10, reached=False, outcome="incarcerated"),
        call(90, 13, reached=False, outcome="incarcerated"),
        call(180, 13, completed_day=180),
    ]
    result = found("followup_gpra_reach", episode=stays, followup=calls)
    estimate = result.estimates[ALL]
    assert lost(result) == {
        "still in the program": 1,
        "left after day 245: the files hold no interviews during a stay": 1,
        "died": 1,
        "in custody when the call was due": 1,
        "had not agreed to be called": 1,
        "too recent": 1,
        "no call recorded in these days": 4,
        "known not to be so": 1,
    }
    # 1, 2, 3, 4, 8, 10, 13 are due; 1 and 13 were reached, of 3, 4, 8, 10 no call is recorded.
    assert (estimate.numerator, estimate.denominator, estimate.unknown) == (2, 7, 4)


# Use, or out of sight


def test_dropping_out_of_sight_is_an_event_on_the_day_of_the_last_contact() -> None:
    # E, time_to_first_use: "censor at last clean contact (informative censoring: show the loss curve; a second curve
    # with loss=event)". R: survfit(Surv(c(0, 0, 0, 30, 30, 30, 40, 180), c(1, 1, 0, 1, 0, 0, 1, 0)) ~ 1).
    clean: dict[str, Any] = {"any_use_since_discharge": False}
    stays: list[dict[str, object]] = [
        {},  # 1 never seen again: lost on day 0
        {"consent_followup": False},  # 2 never agreed to be called: lost on day 0
        {},  # 3 died by the first call: watched until day 0
        {},  # 4 clean on day 30, missed on day 90 and later: lost on day 30
        {"observed_days": 56 + 119},  # 5 clean on day 30, the second call is not over: watched until day 30
        {},  # 6 clean on day 30, then in custody up to the last call: watched until day 30
        {},  # 7 missed at the first call; a test on day 40 saw use
        {"observed_days": 56 + 424},  # 8 missed twice, but clean on day 180: watched until then
        {"observed_days": 56 + 44},  # 9 the first call is not over: not in it
    ]
    stays = [{"primary_condition": "alcohol", "track": None} | stay for stay in stays]
    calls = [
        call(30, 3, reached=False, outcome="deceased"),
        *(call(30, number, completed_day=30, **clean) for number in (4, 5, 6)),
        call(90, 4, reached=False, outcome="no_answer"),
        call(365, 6, reached=False, outcome="incarcerated"),
        call(90, 8, reached=False, outcome="no_answer"),
        call(180, 8, completed_day=180, **clean),
    ]
    tests = [{"episode_id": 7, "day": 56 + 40, "source": "urine", "result": "positive"}]
    found_here: dict[str, Any] = {"episode": stays, "followup": calls, "substance_use": tests}
    result = found("time_to_use_or_loss", **found_here)
    curve, estimate = result.curves[ALL], result.estimates[ALL]
    # S(0) = 1 - 2/8; S(30) = 3/4 (1 - 1/5); S(40) = 3/5 (1 - 1/2)
    assert [*zip(curve.time, curve.at_risk, curve.events, curve.censored, strict=True)] == [
        (0, 8, 2, 1), (30, 5, 1, 2), (40, 2, 1, 0), (180, 1, 0, 1),
    ]  # fmt: skip
    assert curve.values["still in"] == pytest.approx((0.75, 0.6, 0.3, 0.3))
    assert (estimate.numerator, estimate.denominator, estimate.unknown, estimate.too_recent) == (4, 8, 0, 1)
    assert estimate.details["still_in_30"] == pytest.approx(0.6)
    # The other curve: 1, 2, 3 and 9 are not in it; 4 is watched until day 30.
    first_use = found("time_to_first_use", **found_here).curves[ALL]
    assert first_use.values["still in"] == pytest.approx((1.0, 0.5, 0.5))


def test_a_call_after_which_nothing_is_said_of_use_still_finds_the_person() -> None:
    # Reached half a year later, and not asked: not out of sight, watched until the last contact without use.
    alcohol = [{"primary_condition": "alcohol", "track": None, "observed_days": 56 + 424}]
    held = found("time_to_use_or_loss", episode=alcohol, followup=[call(180, completed_day=180)]).curves[ALL]
    missed = found("time_to_use_or_loss", episode=alcohol, followup=[call(180, reached=False)]).curves[ALL]
    assert (held.time, held.events, missed.time, missed.events) == ((0,), (0,), (0,), (1,))
