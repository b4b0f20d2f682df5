"""Real input that is nothing but scores: a wide file through its mapping, counted by hand, measured and shown.

Oracle: the raw file in ../shared/real/weekly_scores, counted here in plain Python.
"""

import csv
import json
from pathlib import Path

import pytest
from page_runs import PAGES, through_the_front

from analytics.__main__ import main
from analytics.settings import DATA_FOLDER
from analytics.store.snapshot import open_current

FILE = "suddengains_sgdata_bdi_weekly.csv"


@pytest.fixture(scope="module")
def weekly(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with store and report of the imported file."""
    home = tmp_path_factory.mktemp("weekly")
    assert main(["key", "new", str(home / "weekly.key")]) == 0
    options = {
        "store": home / "store", "privacy": "limited", "key": home / "weekly.key", "data-cut": "2026-01-01",
        "mapping": DATA_FOLDER / "mappings" / "weekly_scores.toml", "report": home / "report.json",
    }  # fmt: skip
    words = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    assert main(["import", str(shared / "real" / "weekly_scores"), *words]) == 0
    return home


def raw(shared: Path) -> list[dict[str, str]]:
    with (shared / "real" / "weekly_scores" / FILE).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_rows_and_empty_cells_are_those_of_the_file(weekly: Path, shared: Path) -> None:
    people = raw(shared)
    cells = [(week, person[f"bdi_s{week}"]) for person in people for week in range(13)]
    filled = sorted((7 * week, float(value)) for week, value in cells if value)
    report = json.loads((weekly / "report.json").read_text(encoding="utf-8"))
    assert report["sources"] == {FILE: len(people)}
    assert report["files"]["scores.csv"]["records_read"] == len(filled)
    assert not any(file["rejected"] for file in report["files"].values())
    assert list(report["left_out"].values()) == [len(cells) - len(filled)]
    snapshot = open_current(weekly / "store")
    stored = snapshot.query("select day, total from score order by all")
    assert stored == filled
    assert snapshot.query("select count(*), count(distinct person_id) from episode") == [(len(people), len(people))]
    snapshot.close()


def test_every_measure_has_a_value_or_a_reason(
    weekly: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IOP_STORE", str(weekly / "store"))
    assert main(["measure", "--all", "--format", "json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert len(results) > 10
    values = {}
    for result in results:
        for estimate in result["estimates"].values():
            assert estimate["value"] is not None or estimate["reason"], result["measure"]["id"]
            values[result["measure"]["id"]] = estimate
    # By hand: everybody has a score in the first two weeks and a later one; a positive change is improvement.
    known = [[float(person[f"bdi_s{week}"]) for week in range(13) if person[f"bdi_s{week}"]] for person in raw(shared)]
    assert values["mean_change"]["denominator"] == len(known)
    change = sum(scores[0] - scores[-1] for scores in known) / len(known)
    assert values["mean_change"]["value"] == pytest.approx(change, abs=1e-12)
    assert values["attendance"]["value"] is None and values["completion"]["value"] is None


@pytest.mark.parametrize("name", ["overview", "symptom_change"])
def test_pages_open_and_say_what_is_not_known(weekly: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("IOP_STORE", str(weekly / "store"))
    script = next(page for page in PAGES if page.stem == name)
    page = through_the_front(script)
    assert not page.exception
    shown = " ".join(element.value for element in page.markdown)
    assert "BDI-II" in shown if name == "symptom_change" else "not" in shown.lower()
