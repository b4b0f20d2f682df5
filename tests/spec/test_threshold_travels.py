"""One threshold changed in an instrument's TOML: number, card, document and family sentence follow, nothing else does.

The instrument lies in the program's own folder. Two fresh programs read it, as two installations would.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analytics.settings import PROJECT_ROOT
from tests.spec.test_instrument_toml import PLAIN

# Changes of 1, 2, 3 and 4 points, ten of each: 20 of 40 change by 3 or more, 10 by 4 or more.
PROGRAM = """
import json
from dataclasses import asdict
from analytics.measures import CATALOG, definition_card, evaluate, measures_markdown
from analytics.measures.cards import family_sentence
from tests.spec.outcome_tables import small_snapshot

scores = [
    {"episode_id": number + 1, "instrument": instrument, "first": 6, "last": 6 - (1 + number % 4)}
    for number in range(40) for instrument in ("made_up", "phq9")
]
snapshot = small_snapshot([{}] * 40, scores)
chosen = [measure for measure in CATALOG if measure.instrument in (None, "made_up", "phq9")]
told = {}
for result in evaluate(chosen, snapshot, persons=False):
    estimate = result.estimates["all"]
    told[result.measure.name] = {
        "number": [estimate.numerator, estimate.denominator, repr(estimate.value)],
        "card": json.dumps(asdict(definition_card(result.measure)), default=str),
        "sentence": family_sentence(result.measure, estimate),
    }
print(json.dumps({"measures": told, "document": measures_markdown()}))
"""


def told(folder: Path, text: str) -> dict[str, Any]:
    folder.mkdir()
    (folder / "made_up.toml").write_text(text, encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT_ROOT,
        env={**os.environ, "IOP_INSTRUMENTS": str(folder), "PYTHONUTF8": "1", "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    home = tmp_path_factory.mktemp("thresholds")
    before = "reliable_change = { value = 3,"
    assert before in PLAIN
    return told(home / "three", PLAIN), told(home / "four", PLAIN.replace(before, "reliable_change = { value = 4,"))


def test_the_number_the_card_and_the_family_sentence_follow(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    three, four = (each["measures"]["reliable_improvement(made_up)"] for each in both)
    assert three["number"][:2] == [20, 40]
    assert four["number"][:2] == [10, 40]
    assert three["sentence"].endswith("about 50 were clearly less worried.")
    assert four["sentence"].endswith("about 25 were clearly less worried.")
    assert ">= 3" in three["card"] and ">= 4" in four["card"]
    # The card is the same but for the threshold, in its list and among the values that the SQL binds.
    assert three["card"].replace(">= 3", ">= 4").replace("reliable_change = 3", "reliable_change = 4") == four["card"]


def test_nothing_else_changes(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    three, four = (each["measures"] for each in both)
    assert three.keys() == four.keys()
    assert len(three) > 50
    assert {name for name in three if three[name] != four[name]} == {
        f"{name}(made_up)"
        for name in (
            "reliable_improvement",
            "reliable_deterioration",
            "no_reliable_change",
            "reliable_recovery",
            "cost_per_reliable_improvement",
        )
    }


def test_the_document_changes_in_the_rows_of_that_instrument(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    three, four = (each["document"].splitlines() for each in both)
    changed = [(old, new) for old, new in zip(three, four, strict=True) if old != new]
    assert len(changed) == 5
    for old, new in changed:
        assert old.startswith("| made_up | default |")
        assert old.replace("reliable change >= 3", "reliable change >= 4") == new
