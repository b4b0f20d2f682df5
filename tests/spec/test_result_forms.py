"""A result as JSON, as text and as SQL, and the pairs a scatter is drawn from."""

import json

from analytics.measures import (
    NOT_KNOWN,
    Cohort,
    Stratifier,
    find,
    pair_counts,
    result_as_dict,
    result_as_text,
    statement,
)
from tests.spec.outcome_tables import Row, one, small_snapshot

COMPLETION = find("completion")


def test_a_result_is_plain_data_for_json() -> None:
    rows: list[Row] = [{}, {"modality": "hybrid", "los_days": None, "observed_days": 50}]
    for measure in (COMPLETION, find("retention_km"), find("completion_cif")):
        result = one(small_snapshot(rows), measure, Stratifier.MODALITY, where={"site": (NOT_KNOWN,)})
        data = json.loads(json.dumps(result_as_dict(result), allow_nan=False))
        assert data["by"] == "modality"
        assert data["cohort"] == {
            "where": {"site": ["not known"]},
            "start": None,
            "end": None,
            "unit": "episode",
        }
        assert data["measure"]["reviewed"] == "2026-11-21"
        assert set(data) == set(result.__dataclass_fields__)
    assert data["estimates"]["hybrid"]["value"] is None
    assert data["estimates"]["hybrid"]["reason"]


def test_text_gives_value_interval_counts_and_who_is_missing() -> None:
    rows: list[Row] = [{}] * 7 + [{"discharge_reason": "moved"}] * 3 + [{"los_days": None}] * 2
    text = result_as_text(one(small_snapshot(rows), COMPLETION, Stratifier.MODALITY))
    assert "70.0% (39.7% to 89.2%) of people who left the program had completed the program, 7 of 10 episodes." in text
    assert "Not known: 0. Too recent: 0." in text
    assert "10 left the program   (lost 2: still in the program)" in text
    assert "Snapshot small: everyone in the data; 12 episode rows, 12 people." in text
    dated = result_as_text(one(small_snapshot(rows), COMPLETION, Stratifier.MODALITY), "2026-09-30")
    assert dated.endswith(
        "Snapshot small: everyone in the data; data to 30 September 2026; 12 episode rows, 12 people."
    )


def test_the_statement_can_be_run_as_it_is_shown() -> None:
    measure = find("reliable_recovery", "phq9")
    snapshot = small_snapshot([{}], [{"episode_id": 1, "first": 18, "last": 6}])
    shown = statement(measure, Cohort(where={"modality": ("in_person",)}), Stratifier.MODALITY)
    comments = [line.removeprefix("-- $").split(" = ") for line in shown.splitlines() if line.startswith("-- $")]
    bound = {name: float(value) if value.replace(".", "").isdigit() else value.strip("'") for name, value in comments}
    assert bound["m0_reliable_change"] == 6
    # The last step passed, the outcome, two printed steps of which nothing is known, how many.
    assert snapshot.connection.execute(shown, bound).fetchall() == [("in_person", 3, True, None, None, 1)]


def test_pairs_of_first_and_last_scores() -> None:
    episodes: list[Row] = [{}, {}, {}, {"los_days": None}]
    scores = [{"episode_id": number, "first": 18, "last": 6} for number in (1, 2)]
    scores += [{"episode_id": 3, "first": 12}, {"episode_id": 4, "first": 9, "last": 3}]
    found = pair_counts(small_snapshot(episodes, scores), "PHQ-9", Cohort())
    assert found.pairs == ((18, 6, 2),)
    assert found.unmeasured == ((12, 1),)
    assert found.instrument == "phq9"
