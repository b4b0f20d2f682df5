"""The catalogue: a new measure is one constant in its family's file, and says all that a number must carry."""

import json
import pkgutil
import re
from datetime import date
from importlib import import_module
from itertools import chain

import pytest

from analytics import measures as package
from analytics.errors import MeasureProblem
from analytics.instruments import PROFILES as THRESHOLDS
from analytics.instruments import find_instrument
from analytics.measures import (
    CATALOG,
    Cohort,
    Measure,
    Stratifier,
    definition_card,
    evaluate,
    find,
    headline,
    result_as_dict,
    result_as_text,
)
from analytics.measures.cards import CHANGE, DESCRIBES, family_sentence
from analytics.measures.catalog import DECLARED, FAMILIES
from analytics.measures.definitions_document import card_lines, definition_comments
from analytics.measures.ladder_sql import PARAMETER
from analytics.measures.symptom_binding import SymptomMeasure
from analytics.measures.symptom_columns import thresholds_of
from analytics.measures.types import Estimator, Unit
from analytics.profiles import PROFILES
from tests.spec.outcome_tables import SmallSnapshot, small_snapshot

MODULES = [import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)]
# Nothing that praises or claims a cause is said of people (style and look of the project).
PRAISE = ("success", "best", "only ", "impressive", "significant", "proven", "effective", "guarantee", "!")


@pytest.fixture(scope="module")
def snapshot() -> SmallSnapshot:
    """Two people and every instrument: enough for each statement to run against the store's columns."""
    instruments = sorted({str(measure.instrument) for measure in CATALOG if measure.instrument})
    scores = [
        {
            "episode_id": number,
            "instrument": key,
            "first": 12,
            "last": 6,
            "nhs_first": 12,
            "nhs_last": 6,
            "treated": True,
        }
        for key in instruments
        for number in (1, 2)
    ]
    episode = {"attended_sessions": 5, "no_show_sessions": 1, "cancelled_client_sessions": 0}
    tests = {"tests_negative": 2, "tests_positive": 1, "tests_missed": 0, "is_sud": True}
    episodes = [{**episode, **tests, "cancelled_late_sessions": 0}, {"los_days": None}]
    answers = [{"recommend": 4, "total": 30}, {"recommend": 3, "total": 24}, {"invitations": 4}]
    return small_snapshot(
        episodes,
        scores,
        referrals=[{}, {"days_to_first_session": 3}],
        answers=answers,
        finance=[{"cost": 900, "capacity_slots": 40}],
        calendar=[{"sessions": 30}],
    )


def words_of(measure: Measure) -> list[str]:
    """What is said in sentences; the notes on the card may say what counts only when."""
    own = (measure.title, measure.question, measure.of_whom, measure.did, measure.family or "")
    printed = chain.from_iterable((words, others) for words, (_, others) in measure.printed.items())
    return list(chain(own, measure.eligible, measure.lost.values(), measure.variants, measure.ratio_variants, printed))


def expressions_of(measure: Measure) -> str:
    single = (measure.success, measure.mature, measure.horizon, measure.numerator, measure.denominator)
    single += (measure.time, measure.cause, measure.amount, measure.first, measure.last)
    several = chain(measure.eligible.values(), measure.variants.values(), measure.also_counted.values())
    several = chain(several, (measure.known_first or ("", ""))[1:2], (text for text, _ in measure.printed.values()))
    several = chain(several, measure.of_cohort.values())
    pairs = chain.from_iterable([*measure.ratio_variants.values(), measure.paired or ()])
    return " ; ".join(str(text) for text in chain(single, several, pairs) if text)


def test_every_constant_of_a_family_is_in_the_catalogue() -> None:
    declared = [
        (module.__name__, value)
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, Measure | SymptomMeasure)
    ]
    assert {name for name, _ in declared} == {module.__name__ for modules in FAMILIES.values() for module in modules}
    assert {value.id for _, value in declared} == set(DECLARED) == {measure.id for measure in CATALOG}
    assert len(declared) == sum(map(len, DECLARED.values()))


def test_names_are_unique_and_found_again() -> None:
    assert len({measure.name for measure in CATALOG}) == len(CATALOG)
    for measure in CATALOG:
        assert find(measure.id, measure.instrument, measure.profile) is measure


@pytest.mark.parametrize("measure", CATALOG, ids=lambda measure: measure.name)
def test_a_measure_says_all_that_its_number_needs(measure: Measure) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", measure.id)
    assert 0 < len(measure.title) <= 40
    assert measure.question.endswith("?")
    assert measure.of_whom.startswith("of ")
    assert measure.source
    assert measure.reviewed <= date.today()
    assert set(measure.eligible) == set(measure.lost)
    if measure.family is None:
        assert measure.no_family.startswith("No sentence: ")
    else:
        amounts = (Estimator.MEDIAN, Estimator.MEAN, Estimator.SURVIVAL)
        is_amount = measure.estimator in amounts and measure.amount_unit != "share"
        assert measure.family.count("{value}" if is_amount else "{per_100}") == 1 and not measure.no_family
    assert not [word for word in PRAISE for text in words_of(measure) if word in text.lower()]
    assert "{" not in "".join(words_of(measure)).replace("{per_100}", "").replace("{value}", "")
    # Values are bound, all of them and no others; a condition that may be NULL is never turned round.
    bound = {*measure.parameters, *measure.of_cohort}
    assert set(PARAMETER.findall(expressions_of(measure))) | {"direction", "own_sd"} == bound | {"direction", "own_sd"}
    assert "not (" not in expressions_of(measure)
    needed = {
        Estimator.PROPORTION: (measure.success,),
        Estimator.RATIO: (measure.numerator, measure.denominator, measure.ratio_unit),
        Estimator.MEAN: (measure.amount, measure.amount_unit),
        Estimator.COST: (measure.success, measure.ratio_unit),
        Estimator.CAPACITY: (measure.success, measure.ratio_unit),
        Estimator.MEAN_CHANGE: (measure.first, measure.last),
        Estimator.SLOPE: (measure.weekly, measure.parameters),
        Estimator.RATE: (measure.numerator, measure.denominator, measure.ratio_unit, measure.per),
        Estimator.MEDIAN: (measure.amount, measure.amount_unit),
        Estimator.SURVIVAL: (measure.time, measure.cause, measure.read_at),
        Estimator.INCIDENCE: (measure.time, measure.cause, measure.way, measure.read_at),
    }[measure.estimator]
    assert all(needed)


def test_every_measure_runs_against_the_columns_of_the_store(snapshot: SmallSnapshot) -> None:
    asked: list[tuple[Stratifier | None, Unit]] = [
        (None, "episode"), (Stratifier.MODALITY, "person"), (Stratifier.THERAPY, "course")
    ]  # fmt: skip
    for by, unit in asked:
        for result in evaluate(CATALOG, snapshot, Cohort(unit=unit), by):
            assert result.episodes > 0, result.measure.name
            json.dumps(result_as_dict(result), allow_nan=False)
            assert result.measure.title in result_as_text(result)


@pytest.mark.parametrize("by", Stratifier)
def test_every_split_runs_on_both_tables(by: Stratifier, snapshot: SmallSnapshot) -> None:
    for result in evaluate([find("completion"), find("recovery", "phq9")], snapshot, by=by):
        assert next(iter(result.estimates)) == "all"
        assert len(result.estimates) > 1


def test_thresholds_come_from_the_instrument_alone() -> None:
    seen = 0
    for measure in CATALOG:
        instrument = find_instrument(measure.instrument) if measure.instrument else None
        if instrument is None:
            continue
        profile = thresholds_of(instrument, measure.profile)
        facts = {
            "caseness": profile.caseness,
            "reliable_change": profile.reliable_change,
            "response": instrument.response,
            "remission": instrument.remission,
            "mcid": instrument.mcid,
        }
        for name, fact in facts.items():
            if name in measure.parameters:
                assert fact is not None
                assert measure.parameters[name] == fact.value
                seen += 1
    assert seen > 50


def test_every_instrument_of_change_has_every_measure_it_has_thresholds_for() -> None:
    names = {measure.name for measure in CATALOG}
    assert {
        "reliable_improvement(phq9)",
        "reliable_improvement(gad7, strict)",
        "recovery(phq9, nhs)",
    } <= names
    assert {"remission(gad7)", "response(who5)", "paired_score(csq8)"}.isdisjoint(names)
    # Ranks are counted and never averaged.
    assert "paired_score(cssrs_level)" in names and "mean_change(cssrs_level)" not in names
    assert THRESHOLDS == ("default", "nhs", "strict") == PROFILES[:3]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("success_rate",), "There is no measure 'success_rate'. There are: days_referral_to_first_session, "),
        (("recovery",), "recovery needs an instrument: "),
        (("recovery", "phq99"), "There is no instrument 'phq99'. recovery can be measured with: "),
        (("completion", "phq9"), "not measured with a questionnaire"),
        (("remission", "gad7"), "GAD-7 has no cut-off for remission in a source we know"),
        (("response", "who5"), "defined only where a lower score is better"),
        (("recovery", "audit-c"), "AUDIT-C is asked once"),
        (("mean_change", "c-ssrs"), "C-SSRS level is a rank, not an amount"),
        (("recovery", "who5", "strict"), "WHO-5 has no profile 'strict'. It has: default."),
    ],
)
def test_what_there_is_not_is_said_in_words(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(MeasureProblem) as problem:
        find(*arguments)  # type: ignore[arg-type]
    assert says in str(problem.value)


def test_an_instrument_is_found_by_any_of_its_names() -> None:
    assert find("recovery", "PHQ-9") is find("recovery", "phq9")


def test_headlines_are_shares_and_improvement_never_stands_alone() -> None:
    names = [measure.name for measure in headline()]
    assert all(measure.estimator in (Estimator.PROPORTION, Estimator.RATIO) for measure in headline())
    improved = {name for name in names if name.startswith("reliable_improvement")}
    assert {name.replace("improvement", "deterioration") for name in improved} <= set(names)


def test_a_card_has_the_thresholds_with_their_sources() -> None:
    card = definition_card(find("reliable_recovery", "gad7", "strict"))
    assert [(fact.words, fact.value) for fact in card.thresholds] == [
        ("cut-off of the clinical range", ">= 10"),
        ("reliable change", ">= 6"),
    ]
    assert all(fact.source for fact in card.thresholds)
    assert "grouping sets" in card.sql
    assert card.counted[1:] == (
        "left the program",
        "had a score at the start",
        "started in the clinical range",
    )


def test_a_card_says_what_a_surveyor_and_a_family_ask() -> None:
    card = definition_card(find("abstinence_followup_180"))
    assert card.group == "Substance use"
    assert card.surveyor.startswith("Numerator: people who had not used in the month before, six months later; denomin")
    assert "exclusions: not treated for substance use, still in the program, died, " in card.surveyor
    assert "left less than 240 days ago; window: a call on days 150 to 240 after leaving" in card.surveyor
    assert "missing data: not reached, or no answer: counts as no; data source: episodes, follow-up" in card.surveyor
    assert card.also_missing[0] == "of those known"
    assert card.minimum == "30 known outcomes for a headline"


@pytest.mark.parametrize("measure", CATALOG, ids=lambda measure: measure.name)
def test_a_card_has_every_line_and_claims_no_cause(measure: Measure) -> None:
    card = definition_card(measure)
    assert {"Counted", "Window", "Not known", "Interval", "Direction", "At least", "Limits", "Source"} <= {
        name for name, _ in card_lines(card)
    }
    # What became of people is never put down to the program; a change from before to after says so in full.
    (first, *_) = card.limits
    assert first == (CHANGE if measure.is_change or measure.paired else DESCRIBES)
    assert "reduced" not in f"{card.surveyor} {card.family}" and "thanks to" not in f"{card.surveyor} {card.family}"
    # What waits for time to pass says which time.
    assert measure.horizon is None or "during the stay" not in card.window or measure.id == "early_dropout"
    comments = definition_comments(measure)
    assert all(line.startswith("-- ") for line in comments.splitlines())


def test_thresholds_of_the_english_rule_are_those_of_its_two_questionnaires() -> None:
    facts = definition_card(find("nhs_reliable_improvement")).thresholds
    assert [(fact.words, fact.value) for fact in facts] == [
        ("phq9: reliable change", ">= 6"),
        ("gad7: reliable change", ">= 4"),
    ]


def test_the_band_that_counts_as_high_is_a_threshold_like_any_other() -> None:
    (fact,) = definition_card(find("high_risk_ever", "c-ssrs")).thresholds
    assert (fact.words, fact.value, fact.evidence) == ("band high", ">= 4", "read in a secondary source")
    assert fact.source


def test_every_change_of_scores_has_the_natural_course_or_says_that_none_is_known() -> None:
    for measure in CATALOG:
        if measure.is_change or measure.paired:
            limits = " ".join(definition_card(measure).limits)
            assert ("Whiteford 2013" in limits) != ("not known to us" in limits), measure.name
    assert "Whiteford 2013" in " ".join(definition_card(find("recovery", "phq9")).limits)
    assert "not known to us" in " ".join(definition_card(find("recovery", "gad7")).limits)


def test_a_median_is_told_to_families_in_its_days() -> None:
    (result,) = evaluate([find("length_of_stay")], small_snapshot([{"los_days": days} for days in range(1, 42)]))
    assert family_sentence(result.measure, result.estimates["all"]) == (
        "Half of the people whose time in the program has ended had stayed 21 days or less."
    )


def test_what_is_from_memory_says_so() -> None:
    marks = {fact.evidence for measure in CATALOG for fact in definition_card(measure).thresholds}
    assert "from memory, not verified" in marks


def test_a_family_sentence_needs_enough_people() -> None:
    few = small_snapshot([{}] * 20 + [{"discharge_reason": "lost_contact"}] * 9)
    enough = small_snapshot([{}] * 20 + [{"discharge_reason": "lost_contact"}] * 12)
    half_known = small_snapshot([{}] * 40 + [{"discharge_reason": None}] * 40)
    less_known = small_snapshot([{}] * 40 + [{"discharge_reason": None}] * 41)
    for snapshot, said in (
        (few, None),
        (enough, "Of every 100 people whose time in the program had ended, about 62 had finished it as planned."),
        (
            half_known,
            "Of every 100 people whose time in the program had ended, about 100 had finished it as planned. "
            "For about 50 of every 100 people who left the program we do not know.",
        ),
        (less_known, None),
    ):
        (result,) = evaluate([find("completion")], snapshot)
        assert family_sentence(result.measure, result.estimates["all"]) == said
