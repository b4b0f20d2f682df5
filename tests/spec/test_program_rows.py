"""Satisfaction and finance: rows of a program and a period, without a person.

A row of satisfaction is one answered questionnaire or the counts of a period (measures.md 4 G); finance is cost and
places by period (4 H). No period finer than the label of the privacy mode is stored.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from analytics.intake.relative import PrivacyMode
from analytics.intake.report import ImportReport
from tests.spec.raw_files import Files, Provider, Row

# Two stays in NORTH, so that a row of that program is not one per stay.
EPISODES: list[Row] = [
    {},
    {"episode_id": "E2", "person_id": "P2", "program_id": "SOUTH"},
    {"episode_id": "E3", "person_id": "P3"},
]
CUT = date(2026, 6, 30)


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


def rejected(report: ImportReport, name: str) -> set[tuple[int | None, str | None, str]]:
    return {(item.row, item.column, item.rule) for item in report.files[f"{name}.csv"].rejected}


def load(provider: Provider, privacy: PrivacyMode = "limited", **tables: Iterable[Row]) -> ImportReport:
    return provider.load({"episodes": EPISODES, **{name: list(rows) for name, rows in tables.items()}}, privacy=privacy)


def in_one_go(provider: Provider, home: Path, privacy: PrivacyMode = "limited", **tables: Iterable[Row]) -> None:
    """Assert that the store holds what one import of these rows would give."""
    fresh = Provider(home)
    fresh.key_file.write_bytes(provider.key_file.read_bytes())
    assert load(fresh, privacy, **tables).published
    assert dict(provider.open().facts.table_hashes) == dict(fresh.open().facts.table_hashes)


# What the measures need


def test_mean_top_box_and_response_rate_have_their_denominators(provider: Provider) -> None:
    """measures.md 4 G, example csq8: 40 of 52 who answered give 4; 52 of 120 invited answered."""
    responses = [{"total": 24 + n % 9, "recommend": 4 if n < 40 else n % 3 + 1} for n in range(52)]
    counts: Row = {"invited": 120, "answered": 52}
    report = load(provider, satisfaction=[*responses, counts])
    assert rejected(report, "satisfaction") == set()
    assert provider.query(
        "select count(total), avg(total), count(*) filter (recommend = 4), count(recommend), sum(invited), "
        "sum(answered) from satisfaction"
    ) == [(52, sum(24 + n % 9 for n in range(52)) / 52, 40, 52, 120, 52)]
    assert provider.query(
        "select distinct instrument, respondent::varchar, period, period_months from satisfaction"
    ) == [("csq8", "client", "2026-03", 1)]
    assert provider.query("select referral, satisfaction, finance from collected") == [(False, True, False)]


def test_cost_and_places_by_period(provider: Provider) -> None:
    rows = [
        {"cost": 240000, "capacity_slots": 2280},
        {"period": "2026-04", "cost": "1200.50"},
        {"program_id": "SOUTH", "period": "2026-Q2", "capacity_slots": 0},
    ]
    assert load(provider, finance=rows).published
    assert provider.query(
        "select program_id::varchar, period, period_months, cost, capacity_slots from finance order by all"
    ) == [
        ("NORTH", "2026-03", 1, 240000.0, 2280),
        ("NORTH", "2026-04", 1, 1200.5, None),
        ("SOUTH", "2026-Q2", 3, None, 0),
    ]


# Periods


@pytest.mark.parametrize(
    ("mode", "labels"),
    [
        ("limited", ["2025", "2025-Q4", "2026-02", "2026-03", "2026-Q2"]),
        ("expert", ["2025", "2025-Q4", "2026-Q1", "2026-Q1", "2026-Q2"]),
        ("safe_harbor", ["2025", "2025", "2026", "2026", "2026"]),
    ],
)
def test_a_finer_period_is_made_coarser_and_a_coarser_one_stays(
    provider: Provider, mode: PrivacyMode, labels: list[str]
) -> None:
    written = ["2025", "2025_q4", "2026-02", "2026-03-17", "2026 Q2"]  # a day counts as its month
    respondents = ["client", "family", "referrer", "client", "family"]
    rows = [
        {"period": period, "respondent": who, "recommend": 4} for period, who in zip(written, respondents, strict=True)
    ]
    assert load(provider, mode, satisfaction=rows).published
    assert [row for (row,) in provider.query("select period from satisfaction order by period")] == labels
    assert provider.query("select period_months from satisfaction order by all") == [(1,), (1,), (3,), (3,), (12,)]
    content = b"".join(path.read_bytes() for path in provider.store.rglob("*") if path.is_file())
    for period in set(written) - set(labels):
        assert period.encode() not in content, period


def test_what_is_no_period_or_not_yet(provider: Provider) -> None:
    written = [
        "2026-13",
        "2026-00",
        "2026-Q5",
        "March 2026",
        "26-03",
        "1999",
        "2026-07",
        "2026-07-01",
        "2027",
        "2026-06",
    ]
    report = provider.load(
        {"episodes": EPISODES, "finance": [{"period": period, "cost": 1} for period in written]},
        imported=date(2026, 8, 1),
    )
    assert rejected(report, "finance") == {
        *((row, "period", "PERIOD_FORMAT") for row in (1, 2, 3, 4, 5)),
        (6, "period", "DATE_RANGE"),
        (7, "period", "AFTER_DATA_CUT"),
        (8, "period", "AFTER_DATA_CUT"),
        (9, "period", "DATE_FUTURE"),
    }
    assert report.files["finance.csv"].accepted_rows == [10]


def test_a_sum_over_other_sums_is_not_believed(provider: Provider) -> None:
    rows = [
        {"period": "2025", "cost": 12},  # the line of totals
        {"period": "2025-Q1", "cost": 3},
        {"period": "2025-05", "cost": 1},
        {"period": "2026-Q1", "cost": 3},
        {"program_id": "SOUTH", "period": "2025", "cost": 12},
    ]
    counts = [
        {"period": "2025", "invited": 10},
        {"period": "2025-02", "invited": 4},
        {"period": "2025-02", "invited": 9, "respondent": "family"},
        {"period": "2025", "recommend": 4},  # a response is no sum
    ]
    report = load(provider, finance=rows, satisfaction=counts)
    assert rejected(report, "finance") == {(1, "period", "PERIOD_OVERLAP")}
    assert rejected(report, "satisfaction") == {(1, "period", "PERIOD_OVERLAP")}
    # A later batch cannot add the line of totals either, nor the months of a quarter that is known.
    later = provider.add({"finance": [rows[0], {"period": "2026-01", "cost": 1}, {"period": "2025-06", "cost": 1}]})
    assert rejected(later, "finance") == {(1, "period", "PERIOD_OVERLAP"), (2, "period", "PERIOD_OVERLAP")}
    assert provider.query("select sum(cost) from finance where program_id = 'NORTH'") == [(8.0,)]


# Rules


def test_every_rule_of_satisfaction(provider: Provider) -> None:
    fine = [{"total": 30, "recommend": 4}] * 60  # so that four strange answers are few
    rows: list[Row] = [
        {},  # neither an answer nor counts
        {"total": 30, "invited": 10},  # both
        {"total": 30, "answered": 10},
        {"answered": 10},
        {"invited": 10, "answered": 11},
        {"invited": 10, "answered": 10},
        {"invited": 0, "period": "2026-04"},
        {"total": 33},
        {"total": 7},
        {"total": 29.7},
        {"total": 30, "instrument": None},
        {"total": 30, "instrument": "home grown"},
        {"recommend": 4, "instrument": None},
        {"recommend": 0},
        {"recommend": 5},
        {"recommend": 3.5},
        {"recommend": 1, "respondent": "staff"},
        {"recommend": 1, "respondent": None},
        {"recommend": 1, "program_id": "WEST"},  # no stay in this program
        {"recommend": 1, "program_id": None},
        {"recommend": 1, "period": None},
        {"invited": -1},
    ]
    report = load(provider, satisfaction=[*rows, *fine])
    assert rejected(report, "satisfaction") == {
        (1, "total", "REQUIRED"),
        (2, "invited", "INCONSISTENT"),
        (3, "invited", "INCONSISTENT"),
        (4, "invited", "REQUIRED"),
        (5, "answered", "INCONSISTENT"),
        (8, "total", "SCORE_RANGE"),
        (9, "total", "SCORE_RANGE"),
        (10, "total", "SCORE_INTEGER"),
        (11, "instrument", "REQUIRED"),
        (12, "instrument", "BAD_ENUM"),
        (14, "recommend", "RANGE"),
        (15, "recommend", "RANGE"),
        (16, "recommend", "BAD_NUMBER"),
        (17, "respondent", "BAD_ENUM"),
        (18, "respondent", "REQUIRED"),
        (19, "program_id", "FK_MISSING"),
        (20, "program_id", "REQUIRED"),
        (21, "period", "REQUIRED"),
        (22, "invited", "RANGE"),
    }
    # 60 alike are 60 people; with them 6, 7 and 13.
    assert provider.query("select count(*) from satisfaction") == [(63,)]


def test_answers_from_0_to_10_are_another_question(provider: Provider) -> None:
    rows: list[Row] = [{"recommend": value} for value in (9, 10, 8, 3, 2, 4, 10)]
    report = load(provider, satisfaction=[*rows, {"total": 30}])
    assert {(row, rule) for row, _, rule in rejected(report, "satisfaction")} == {
        *((row, "RANGE") for row in (1, 2, 3, 7)),
        *((row, "RECOMMEND_SCALE") for row in (4, 5, 6)),
    }
    assert provider.query("select total, recommend from satisfaction") == [(30.0, None)]


def test_every_rule_of_finance(provider: Provider) -> None:
    rows: list[Row] = [
        {},
        {"cost": -1},
        {"cost": "$100"},
        {"capacity_slots": 1.5},
        {"capacity_slots": -1},
        {"cost": 1, "program_id": "WEST"},
        {"cost": 1},
        {"cost": 1},
        {"cost": 1, "period": "2026-04-01"},
        {"cost": 2, "period": "2026-04"},
        {"cost": "inf", "period": "2026-05"},
    ]
    report = load(provider, finance=rows)
    assert rejected(report, "finance") == {
        (1, "cost", "REQUIRED"),
        (2, "cost", "RANGE"),
        (3, "cost", "BAD_NUMBER"),
        (4, "capacity_slots", "BAD_NUMBER"),
        (5, "capacity_slots", "RANGE"),
        (6, "program_id", "FK_MISSING"),
        (8, "program_id", "DUPLICATE_EXACT"),
        (9, "program_id", "DUPLICATE_CONFLICT"),
        (10, "program_id", "DUPLICATE_CONFLICT"),
        (11, "cost", "RANGE"),
    }


def test_numbered_responses_are_told_apart_and_counts_stand_once(provider: Provider) -> None:
    rows: list[Row] = [
        {"recommend": 4, "response_no": 1},
        {"recommend": 4, "response_no": 1},  # the same one
        {"recommend": 4, "response_no": 2},
        {"recommend": 3, "response_no": "form-x"},
        {"recommend": 2, "response_no": "form-x"},
        {"recommend": 3, "response_no": "form-y"},
        {"invited": 9},
        {"invited": 9},
        {"invited": 9, "response_no": 4, "respondent": "family"},
    ]
    report = load(provider, satisfaction=rows)
    assert rejected(report, "satisfaction") == {
        (2, "program_id", "DUPLICATE_EXACT"),
        (4, "program_id", "DUPLICATE_CONFLICT"),
        (5, "program_id", "DUPLICATE_CONFLICT"),
        (8, "program_id", "DUPLICATE_EXACT"),
        (9, "response_no", "INCONSISTENT"),
    }
    numbers = [number for (number,) in provider.query("select response_no from satisfaction order by all")]
    assert numbers[:2] == [1, 2] and numbers[2] >= 10_000 and numbers[3] is None


# Batches


@pytest.mark.parametrize("mode", [pytest.param("limited", marks=pytest.mark.long), "safe_harbor"])
def test_a_batch_replaces_the_periods_it_gives_and_no_other(tmp_path: Path, mode: PrivacyMode) -> None:
    """In safe_harbor both months become 2026: the code of the period tells them apart."""
    march = [{"recommend": 4}, {"recommend": 4}, {"invited": 5, "answered": 2}]
    april = [{"period": "2026-04", "recommend": 2}, {"period": "2026-04", "invited": 7, "answered": 1}]
    more = [{"recommend": 4}, {"recommend": 4}, {"recommend": 3}, {"invited": 6, "answered": 3}]
    cost = {"march": {"cost": 100}, "april": {"period": "2026-04", "cost": 50}, "more": {"cost": 110}}
    provider = Provider(tmp_path / "batches")
    load(provider, mode, satisfaction=march, finance=[cost["march"]])

    def add(**tables: list[Row]) -> ImportReport:
        return provider.load({"episodes": [], **tables}, mode="incremental", privacy=mode)

    add(satisfaction=april, finance=[cost["april"]])
    in_one_go(provider, tmp_path / "both", mode, satisfaction=march + april, finance=[cost["march"], cost["april"]])
    add(satisfaction=more, finance=[cost["more"]])
    in_one_go(provider, tmp_path / "more", mode, satisfaction=more + april, finance=[cost["more"], cost["april"]])
    assert add(satisfaction=more).unchanged
    # A family's answers are another cell; a numbered response replaces only itself.
    assert provider.query("select count(*) from satisfaction where invited is null") == [(4,)]


def test_numbered_responses_are_added_one_by_one(provider: Provider) -> None:
    first: list[Row] = [{"recommend": 4, "response_no": n} for n in ("a", "b")]
    load(provider, satisfaction=first)
    provider.add({"satisfaction": [{"recommend": 1, "response_no": "b"}, {"recommend": 2, "response_no": "c"}]})
    assert provider.query("select recommend from satisfaction order by all") == [(1,), (2,), (4,)]


def test_rows_of_a_program_that_is_gone_are_left_behind(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "batches")
    rows: list[Row] = [{"cost": 1}, {"program_id": "SOUTH", "cost": 2}]
    load(provider, finance=rows)
    moved: Row = {**EPISODES[1], "program_id": "NORTH"}
    report = provider.add({"episodes": [moved], "finance": [{"program_id": "SOUTH", "period": "2026-04", "cost": 1}]})
    assert rejected(report, "finance") == {(1, "program_id", "FK_MISSING")}
    assert provider.query("select program_id::varchar, cost from finance") == [("NORTH", 1.0)]


def test_a_file_that_shrinks_or_is_missing_holds_the_import(provider: Provider) -> None:
    files: Files = {
        "finance": [{"period": f"2025-{month:02}", "cost": 1} for month in range(1, 11)],
        "satisfaction": [{"recommend": 4}] * 10,
    }
    load(provider, **files)
    for name in files:
        for fewer in ([], files[name][:7]):
            report = load(provider, **files | {name: fewer})
            assert (report.published, report.batch_rule) == (False, "SHRINK_GUARD")
