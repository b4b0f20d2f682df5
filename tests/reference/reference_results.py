"""Reading the reference results beside the repository: results of R and of papers, and worked examples."""

import csv
import json
from math import isnan
from pathlib import Path
from typing import Any

import pytest


def expected(shared: Path, case: str) -> Any:
    """What R, or a paper, gives for the case; null is NA, NaN or infinite there."""
    return json.loads((shared / "oracles" / case / "expected.json").read_text(encoding="utf-8"))


def rows(shared: Path, case: str, file: str = "input.csv") -> list[dict[str, str]]:
    with (shared / "oracles" / case / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def column(table: list[dict[str, str]], name: str) -> list[float]:
    return [float(row[name]) for row in table]


def example(shared: Path, name: str) -> dict[str, Any]:
    """Return one worked example of the measure catalogue (`inputs` and `expected`, four to six digits)."""
    catalogue = json.loads((shared / "measure_examples.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = next(each for each in catalogue["examples"] if each["id"] == name)
    return found


def same(value: float, oracle: float | None, tolerance: float = 1e-9) -> bool:
    """Equal within the tolerance (absolute); null in the oracle has to be NaN here."""
    return isnan(value) if oracle is None else bool(value == pytest.approx(oracle, rel=0, abs=tolerance))
