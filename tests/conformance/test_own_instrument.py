"""A questionnaire is one TOML: put into the program's own folder, it is imported, scored, measured and shown."""

import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from analytics.instruments import load_instruments
from analytics.instruments.toml_reader import EXPLAINED, read_questionnaire
from analytics.settings import PROJECT_ROOT
from tests.spec.raw_files import Files, Row, write_files
from tests.spec.test_instrument_toml import PLAIN

STAYS = 12
# One process, because the catalogue of measures is made once: import, measure, page.
SCRIPT = """
import sys
from analytics.__main__ import main

raw, key, store, page = sys.argv[1:]
assert main(["key", "new", key]) == 0
day = "2026-06-30"
mode = ["--privacy", "safe_harbor", "--data-cut", day, "--import-date", day]
if main(["import", raw, "--store", store, "--key", key, *mode]):
    sys.exit("not imported")
named = ["--instrument", "Made up form", "--store", store, "--format", "json"]
print("<measure>")
assert main(["measure", "reliable_improvement", *named]) == 0
print("</measure>")
from streamlit.testing.v1 import AppTest
from analytics.session import local_viewer

shown = AppTest.from_file(page, default_timeout=120)
shown.session_state["viewer"] = local_viewer()
shown.run()
assert not shown.exception, shown.exception
print("<page>", *(each.value for kind in (shown.header, shown.markdown) for each in kind))
"""


def clinic() -> Files:
    """Twelve stays of four weeks: six answer three times 3, then 1 (9 to 3: clearly better); six keep a total of 9."""
    files: Files = {"episodes": [], "score_items": [], "scores": []}
    admitted = date(2026, 1, 5)
    left = admitted + timedelta(28)
    for number in range(STAYS):
        episode = f"E{number}"
        files["episodes"].append(
            {"episode_id": episode, "person_id": f"P{number}", "admit_date": admitted, "discharge_date": left,
             "discharge_reason": "completed", "planned_weeks": 4}
        )  # fmt: skip
        for day, answer in ((admitted, 3), (left, 1)):
            form: Row = {"episode_id": episode, "instrument": "MADE-UP-3", "assessed_on": day}
            if number < STAYS // 2:
                files["score_items"] += [{**form, "item": item, "value": answer} for item in (1, 2, 3)]
            else:
                files["scores"].append({**form, "total": 9})
    return files


def run(tmp_path: Path, toml: str) -> subprocess.CompletedProcess[str]:
    own = tmp_path / "instruments"
    own.mkdir()
    (own / "made_up.toml").write_text(toml, encoding="utf-8")
    page = PROJECT_ROOT / "pages" / "explore" / "symptom_change.py"
    arguments = [write_files(tmp_path / "raw", clinic()), tmp_path / "pseudonyms.key", tmp_path / "store", page]
    places = {"IOP_STORE": str(tmp_path / "store"), "IOP_INSTRUMENTS": str(own)}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)],
        cwd=PROJECT_ROOT, env=os.environ | places, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_one_toml_adds_a_questionnaire_that_is_imported_measured_and_shown(tmp_path: Path) -> None:
    done = run(tmp_path, PLAIN)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.partition("<measure>")[2].partition("</measure>")[0])
    estimate = result["estimates"]["all"]
    assert (estimate["numerator"], estimate["denominator"], estimate["unknown"]) == (STAYS // 2, STAYS, 0)
    page = done.stdout.partition("<page>")[2]
    assert "MADE-UP-3" in page and "less worried" in page


def test_a_wrong_toml_is_a_sentence_and_nothing_is_imported(tmp_path: Path) -> None:
    done = run(tmp_path, PLAIN.replace("step = 1", "step = 1\ncolour = 3"))
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["made_up.toml, colour: there is no such key.", "not imported"]
    assert not list((tmp_path / "store").glob("snapshot-*"))


def keys_of(table: dict[str, Any]) -> set[str]:
    """Return the keys of a TOML as the page has them: codes and names of domains, genders and items are not keys."""
    named = ("domains", "levels", "not_asked_after", "caseness_by_gender", "not_given")
    inside = [value for key, value in table.items() if key not in named]
    tables = chain.from_iterable(each if isinstance(each, list) else [each] for each in inside)
    return set(table).union(*(keys_of(each) for each in tables if isinstance(each, dict)))


def test_the_page_about_questionnaires_names_every_key_and_its_example_is_read() -> None:
    page = (PROJECT_ROOT / "docs" / "questionnaires.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    (instrument,) = read_questionnaire(example, "worry3.toml").instruments
    assert instrument.reliability is not None and instrument.reliability.value == 0.84
    shipped = (PROJECT_ROOT / "analytics" / "instruments").glob("*.toml")
    used = keys_of(tomllib.loads(example)).union(
        *(keys_of(tomllib.loads(each.read_text(encoding="utf-8"))) for each in shipped)
    )
    said = set(re.findall(r"`([a-z_0-9]+)`", page))
    assert used - {"value", "rule", "evidence", "source", "default", "nhs", "strict"} <= said | {"evidence", "source"}
    assert set(EXPLAINED) <= said


# What the file of a questionnaire has to say, and where.
FIELDS = {
    "items": "items", "range": "minimum", "step": "step", "direction": "better", "bands": "bands",
    "thresholds": "profiles", "prorating": "prorating", "aliases": "aliases", "LOINC codes": "loinc",
    "recall period": "recall_days", "licence": "licence", "sources": "source", "review": "reviewed",
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_every_instrument_says_a_field_or_why_it_does_not(field: str) -> None:
    for instrument in load_instruments().values():
        value = getattr(instrument, FIELDS[field])
        explained = FIELDS[field] in instrument.not_given
        assert (value in (None, (), "")) == explained, instrument.id
        assert not explained or FIELDS[field] in EXPLAINED


def test_a_second_scale_is_said_where_there_is_one() -> None:
    assert {each.id for each in load_instruments().values() if each.scale is not None} == {"who5"}


def test_doctor_says_what_is_wrong_with_a_toml(tmp_path: Path) -> None:
    (tmp_path / "made_up.toml").write_text(PLAIN.replace("step = 1", "step = 1\ncolour = 3"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "analytics", "doctor", "--store", str(tmp_path / "store")],
        cwd=PROJECT_ROOT, env=os.environ | {"IOP_INSTRUMENTS": str(tmp_path)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "look  instruments: A questionnaire cannot be used. made_up.toml, colour: there is no such" in done.stdout
