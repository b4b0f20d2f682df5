"""Tables say what the figures say, and no cell of a CSV can run as a formula."""

import csv
import dataclasses
import hashlib
import io

import pytest

from analytics.disclosure import internal_view
from analytics.measures.results import LadderStep
from analytics.measures.types import Cohort, Estimator, Stratifier
from analytics.reports.tables import (
    RECORD_NAMES,
    csv_bytes,
    download_entry,
    ladder_table,
    result_table,
    safe_text,
)
from tests.spec.showable import (
    COHORT_WORDS,
    LOOK_LADDER,
    PROVENANCE,
    by_modality,
    measure,
    number,
    result,
    share,
    shown,
)

SMALL = "small numbers - do not compare, do not share"


def rows_of(file: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """Read a CSV back: the lines that begin with #, and the rows below them by column."""
    rows = list(csv.reader(io.StringIO(file.decode("utf-8"), newline="")))
    head = [row[0] for row in rows if row[0].startswith("#")]
    names, *cells = rows[len(head) :]
    return head, [dict(zip(names, row, strict=True)) for row in cells]


def test_the_table_of_the_look() -> None:
    table = result_table(shown(by_modality(), Stratifier.MODALITY))
    assert [column.head for column in table.columns] == [
        "How care was delivered",
        "Number",
        "Of",
        "Result",
        "95%",
        "Not known",
        "Too recent",
        "People",
        "Not known as no",
        "Not known as yes",
        "Note",
    ]
    told = [tuple(cell.replace("\u2060", "") for cell in row) for row in table.texts]
    assert told[0] == ("Everyone", "187", "301", "62%", "57–67", "97", "0", "–", "47%", "71%", "")
    assert told[1] == ("In person", "88", "137", "64%", "56–72", "35", "0", "137", "51%", "72%", "")
    assert told[4] == ("Not recorded", "5", "9", "56%", "27–81", "0", "0", "9", "56%", "56%", SMALL)


def test_records_are_exact_and_hold_the_same_rows() -> None:
    table = result_table(shown(by_modality(), Stratifier.MODALITY))
    assert [record["group"] for record in table.records] == [row[0] for row in table.texts]
    assert all(tuple(record) == RECORD_NAMES for record in table.records)
    assert table.records[0]["value"] == 187 / 301
    assert table.records[0]["persons"] is None


def test_a_withheld_row_has_its_name_and_nothing_else() -> None:
    table = result_table(shown(by_modality(), Stratifier.MODALITY, internal_minimum=11))
    assert table.texts[4] == ("Not recorded", *["–"] * 9, "withheld: too few people")
    assert [value for value in table.records[4].values() if value is not None] == [
        "Not recorded",
        "withheld: too few people",
    ]


def test_a_row_without_a_value_says_why() -> None:
    reason = "Not known for any of the 12 episodes: not measured twice."
    groups = {"all": share(187, 301, 97), "hybrid": share(0, 0, 12, reason=reason)}
    table = result_table(shown(groups, Stratifier.MODALITY))
    assert table.texts[1][3:5] == ("–", "–")
    assert table.texts[1][-1] == f"{SMALL}; {reason}"  # nobody is behind the value, so fewer than eleven


def test_means_have_points_and_no_bounds() -> None:
    change = measure(id="mean_change", estimator=Estimator.MEAN_CHANGE)
    table = result_table(shown({"all": number(-2.04, -3.0, -1.1, 301)}, of=change))
    assert table.texts[0][3:5] == ("−2.0", "−3.0 to −1.1")
    assert table.texts[0][8:10] == ("–", "–")
    assert table.records[0]["lower_bound"] is None


def test_the_ladder_table_names_each_loss() -> None:
    table = ladder_table(shown({"all": share(187, 301, 97)}))
    assert table.texts[1] == ("left the program", "398", "14", "still in the program")
    assert table.texts[0] == ("admitted", "412", "0", "")
    assert [record["count"] for record in table.records] == [412, 398, 301, 187]


def test_steps_that_take_nobody_out_stand_below_the_ladder() -> None:
    # measures.md section 0: "treated" is a printed step
    came_twice = LadderStep("came on at least two days", 350, 48, "came on fewer than two days")
    printed = dataclasses.replace(LOOK_LADDER, printed=(came_twice,))
    table = ladder_table(shown({"all": share(187, 301, 97)}, ladder=printed))
    step, count, lost, because = table.texts[-1]
    assert (step, count, lost) == ("of them came on at least two days", "350", "0")
    assert because == "48 came on fewer than two days; all stay in"
    assert (table.records[-1]["count"], table.records[-1]["lost"]) == (350, 0)


def test_a_csv_says_what_it_is_before_its_numbers() -> None:
    cohort = Cohort(start="2025-01", end="2025-12", unit="person")
    head, _ = rows_of(csv_bytes(shown(by_modality(), Stratifier.MODALITY, cohort=cohort)))
    assert head == [
        "# Measure: Clearly better, PHQ-9 (reliable_improvement(phq9))",
        f"# Definition: {measure().question}",
        "# Source: Jacobson & Truax 1991; reviewed 2026-11-21",
        f"# Who: {COHORT_WORDS}",
        "# Period: admitted January to December 2025",
        "# Counted: people",
        "# Data as of: 31 December 2025",
        "# Snapshot: 7f3a91",
        "# Tier: Internal - do not share",
        "# Made-up data: no real people",
    ]


def test_real_data_is_not_called_made_up() -> None:
    real = dataclasses.replace(PROVENANCE, synthetic=False)
    head, _ = rows_of(csv_bytes(internal_view(result(by_modality(), Stratifier.MODALITY), real, COHORT_WORDS)))
    assert not any("Made-up" in line for line in head)


def test_a_csv_has_the_numbers_as_numbers() -> None:
    _, rows = rows_of(csv_bytes(shown(by_modality(), Stratifier.MODALITY)))
    assert [row["group"] for row in rows] == ["Everyone", "In person", "Hybrid", "Telehealth", "Not recorded"]
    assert float(rows[0]["value"]) == 187 / 301
    assert rows[0]["persons"] == ""
    assert rows[4]["note"] == SMALL
    change = measure(id="mean_change", estimator=Estimator.MEAN_CHANGE)
    _, rows = rows_of(csv_bytes(shown({"all": number(-0.05, -1.0, 0.9, 301)}, of=change)))
    assert (rows[0]["value"], rows[0]["ci_low"]) == ("-0.05", "-1.0")  # a negative number is no formula


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@sum",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "＝1+1",  # full-width forms
        "＋1",
        "－1",
        "＠x",
        "\u00a0=1",  # a no-break space before it
    ],
)
def test_a_text_that_would_be_a_formula_is_made_harmless(cell: str) -> None:
    assert safe_text(cell) == f"'{cell}"
    groups = {"all": share(187, 301), cell: share(88, 137)}
    _, rows = rows_of(csv_bytes(shown(groups, Stratifier.SITE)))
    assert rows[1]["group"] == f"'{cell}"


@pytest.mark.parametrize("cell", ["East", "site-1", "a=b", "", "90+", "−5 points", "# note"])
def test_other_texts_stay_as_they_are(cell: str) -> None:
    assert safe_text(cell) == cell


def test_a_download_is_logged_without_a_value() -> None:
    cohort = Cohort(where={"site": ("east",), "modality": ()}, start="2025-01")
    disclosed = shown(by_modality(), Stratifier.MODALITY, cohort=cohort)
    file = csv_bytes(disclosed)
    assert download_entry(disclosed, file) == {
        "what": "csv",
        "measure": "reliable_improvement(phq9)",
        "by": "modality",
        "tier": "internal",
        "snapshot_id": "7f3a91",
        "filters": {"site": ["east"]},
        "start": "2025-01",
        "end": None,
        "unit": "episode",
        "rows": 5,
        "sha256": hashlib.sha256(file).hexdigest(),
    }
