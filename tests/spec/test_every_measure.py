"""Every measure on every kind of store: a value or a reason, no NaN without one, and nothing on standard error.

The stores: the demo, a real trial in study days, a real file that is nothing but scores, one person alone.
"""

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analytics.__main__ import main
from analytics.errors import MeasureProblem
from analytics.measures import Measure, Stratifier, result_as_dict
from analytics.measures.between_groups import compare_groups
from analytics.measures.between_groups_text import comparison_as_text
from analytics.measures.catalog import CATALOG
from analytics.measures.over_time import over_time
from analytics.measures.over_time_text import series_as_text
from analytics.settings import DATA_FOLDER
from analytics.store.snapshot import Snapshot, open_current
from tests.spec.raw_files import Provider

NOT_A_NUMBER = re.compile(r"\bnan\b", re.IGNORECASE)

# Folder in ../shared/real and its mapping.
REAL = {"trial": ("ctn0027", "ctn0027"), "scores_only": ("weekly_scores", "weekly_scores")}


@pytest.fixture(scope="module", params=["demo", "trial", "scores_only", "one_person"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp(request.param)
    if request.param == "one_person":
        provider = Provider(home)
        assert provider.load({"episodes": [{}]}, privacy="synthetic").published
        return provider.store
    if request.param == "demo":
        assert main(["demo", "--episodes", "300", "--store", str(home / "store")]) == 0
        return home / "store"
    folder, mapping = REAL[request.param]
    real = Path(request.getfixturevalue("shared")) / "real" / folder
    assert main(["key", "new", str(home / "real.key")]) == 0
    options = {
        "store": home / "store", "privacy": "limited", "key": home / "real.key", "data-cut": "2026-01-01",
        "mapping": DATA_FOLDER / "mappings" / f"{mapping}.toml", "agreement": "DUA 1",
    }  # fmt: skip
    words = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    assert main(["import", str(real), *words]) == 0
    return home / "store"


@pytest.fixture(scope="module")
def snapshot(store: Path) -> Iterator[Snapshot]:
    opened = open_current(store)
    yield opened
    opened.close()


def without_reason(estimates: dict[str, dict[str, Any]]) -> list[str]:
    """Groups with neither a value nor a reason, or with a value without both limits and no reason."""
    return [
        group
        for group, each in estimates.items()
        if (each["value"] is None or (each["ci_low"] is None and each["ci_high"] is None)) and not each["reason"]
    ]


@pytest.mark.parametrize("by", [None, Stratifier.MODALITY])
def test_every_number_is_a_value_or_a_reason(
    store: Path, by: Stratifier | None, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split = ["--by", by.value] if by else []
        assert main(["measure", "--all", "--format", "json", "--store", str(store), *split]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    results = json.loads(said.out)
    assert len(results) > 30
    lacking = {
        f"{result['measure']['id']} {result['measure']['instrument']} {words}": groups
        for result in results
        for words, estimates in {"": result["estimates"], **result["variants"]}.items()
        if (groups := without_reason(estimates))
    }
    assert lacking == {}
    assert "NaN" not in said.out


@pytest.mark.parametrize("asks", [["trend", "completion"], ["compare", "completion", "--by", "site"]])
def test_the_commands_answer_in_sentences_and_in_json(
    store: Path, asks: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main([*asks, "--store", str(store)]) == 0
    text = capsys.readouterr()
    assert main([*asks, "--store", str(store), "--format", "json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert text.err == "" and f"Snapshot {content['snapshot_id']}: everyone in the data" in text.out


def asked(snapshot: Snapshot) -> list[Measure]:
    used = {row[0] for row in snapshot.query("select distinct instrument from program_instrument")}
    return [
        each for each in CATALOG if each.instrument is None or (each.instrument in used and each.profile == "default")
    ]


def test_every_measure_over_time_has_points_or_a_reason(snapshot: Snapshot) -> None:
    shown = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for measure in asked(snapshot):
            try:
                series = over_time(measure, snapshot, snapshot.facts.data_as_of, "quarter")
            except MeasureProblem as problem:
                assert "whole stay" in str(problem) or "Split it by admit_period" in str(problem), measure.name
                continue
            shown += 1
            data = result_as_dict(series)
            json.dumps(data, allow_nan=False)
            assert series.reason or any(point.upper == point.upper for point in series.points), measure.name
            assert all(point.reason for point in series.points if point.standing != "counted"), measure.name
            assert series.snapshot_id in series_as_text(series) and not NOT_A_NUMBER.search(series_as_text(series))
    assert shown > 30


def test_every_share_is_compared_or_says_why_not(snapshot: Snapshot) -> None:
    shown = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # One questionnaire for each measure: a model takes a fifth of a second, and the next one brings nothing new.
        for measure in {each.id: each for each in reversed(asked(snapshot))}.values():
            try:
                comparison = compare_groups(measure, snapshot, Stratifier.MODALITY)
            except MeasureProblem as problem:
                assert "no share of people" in str(problem), measure.name
                continue
            shown += 1
            json.dumps(result_as_dict(comparison), allow_nan=False)
            assert comparison.reason or comparison.groups, measure.name
            for group in comparison.groups:
                assert group.ratio == group.ratio or group.reason, measure.name
            assert not NOT_A_NUMBER.search(comparison_as_text(comparison)), measure.name
    assert shown > 20
