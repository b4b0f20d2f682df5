"""The benchmark: what it prints, when it fails, what it leaves behind. Never a time: that is its own work."""

import json
import os
import re
import shutil
import stat
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from analytics import bench
from analytics.__main__ import main
from analytics.bench import outcome_tables, page_runs, run_bench, timing
from analytics.bench.budget import BUDGET_SIZE, Gate, Row, Verdict
from analytics.bench.copies import copied_store
from analytics.bench.curves import difference, statsmodels_curves
from analytics.bench.evaluation import BY, bare_sum
from analytics.bench.leaving import LeavingRows, leaving_rows
from analytics.bench.printed import as_dict, as_text, gates_met
from analytics.bench.r_peer import RAnswer, run_r
from analytics.bench.raw_files import import_once
from analytics.demo import write_raw
from analytics.errors import IopError, StoreProblem, UsageProblem
from analytics.measures import ALL, catalog, evaluate
from analytics.store.snapshot import Snapshot, open_current

EPISODES = 300
SLOWER = Gate(4, target=3)  # ours may take 4 times as long
FASTER = Gate(40, target=80, at_least=True)  # ours must be 40 times faster
SECONDS = Gate(0.8, from_episodes=1)
SPEED = Gate(300_000, at_least=True, from_episodes=1)

VERDICTS = [
    # row, ratio, verdict at the size of the budgets
    (Row("a", "ms", SLOWER, 8.0, "floor", 2.0), 4.0, Verdict.MET),  # 8 / 2 = 4, the limit itself
    (Row("b", "ms", SLOWER, 9.0, "floor", 2.0), 4.5, Verdict.MISSED),
    (Row("c", "ms", FASTER, 2.0, "peer", 80.0), 40.0, Verdict.MET),  # 80 / 2 = 40
    (Row("d", "ms", FASTER, 2.0, "peer", 79.0), 39.5, Verdict.MISSED),
    (Row("e", "ms", FASTER, 2.0, "peer"), None, Verdict.NOT_MEASURED),  # ours alone is no comparison
    (Row("f", "ms", FASTER, 2.0, "peer", 80.0, disagreement="other number"), 40.0, Verdict.MISSED),
    (Row("g", "s", SECONDS, 0.8), None, Verdict.MET),
    (Row("h", "s", SECONDS, 0.81), None, Verdict.MISSED),
    (Row("i", "s", SECONDS, reason="not there"), None, Verdict.NOT_MEASURED),
    (Row("j", "rows/s", SPEED, 299_999.0), None, Verdict.MISSED),
    (Row("k", "rows/s", SPEED, 300_000.0), None, Verdict.MET),
]


@pytest.mark.parametrize(("row", "ratio", "verdict"), VERDICTS, ids=lambda value: getattr(value, "work", ""))
def test_a_gate_is_judged_by_ratio_or_by_figure(row: Row, ratio: float | None, verdict: Verdict) -> None:
    assert row.ratio == ratio
    assert row.verdict(BUDGET_SIZE) is verdict


def test_below_its_size_a_gate_is_not_judged_but_a_wrong_answer_still_is() -> None:
    slow = Row("b", "ms", SLOWER, 9.0, "floor", 2.0)
    assert slow.verdict(BUDGET_SIZE - 1) is Verdict.NOT_JUDGED
    wrong = Row("f", "ms", FASTER, 2.0, "peer", 80.0, disagreement="other number")
    assert wrong.verdict(BUDGET_SIZE - 1) is Verdict.MISSED


def test_a_budget_in_seconds_for_a_million_is_no_budget_for_more() -> None:
    row = Row("overview", "s", Gate(0.8, until_episodes=BUDGET_SIZE), 0.9)
    assert row.verdict(BUDGET_SIZE) is Verdict.MISSED
    assert row.verdict(BUDGET_SIZE + 1) is Verdict.NOT_JUDGED
    assert "not judged: holds up to 1,000,000 episodes" in as_text([row], BUDGET_SIZE + 1)
    assert "not judged: holds from 1,000,000 episodes on" in as_text([row], BUDGET_SIZE - 1)


def test_the_text_ends_with_the_gates_met_of_those_measured() -> None:
    rows = [row for row, _, _ in VERDICTS]
    # met: a, c, g, k; missed: b, d, f, h, j; e and i were not measured
    assert gates_met(rows, BUDGET_SIZE) == (4, 9)
    text = as_text(rows, BUDGET_SIZE)
    assert text.splitlines()[-1] == "4 of 9 gates met"
    (line,) = (line for line in text.splitlines() if line.startswith("k "))
    assert line.split("  ")[1:] != [] and re.sub(r"\s+", " ", line) == "k 300,000 rows/s ≥ 300,000 rows/s 1 met"
    (line,) = (line for line in text.splitlines() if line.startswith("i "))
    assert re.sub(r"\s+", " ", line) == "i ≤ 0.8 s not measured: not there"


def test_figures_are_written_to_json_unrounded_and_none_where_there_is_none() -> None:
    content = as_dict([VERDICTS[3][0], VERDICTS[8][0]], BUDGET_SIZE)
    assert (content["gates_met"], content["gates_measured"]) == (0, 1)
    missed, absent = json.loads(json.dumps(content))["rows"]
    assert (missed["ours"], missed["peer_figure"], missed["ratio"], missed["verdict"]) == (2.0, 79.0, 39.5, "missed")
    assert (absent["ours"], absent["peer"], absent["ratio"], absent["runs"]) == (None, None, None, 0)
    assert absent["reason"] == "not there"


@pytest.mark.parametrize(("positions", "code"), [((0, 2, 4, 6, 8), 0), ((0, 1), 1), ((5,), 1), ((), 0)])
def test_a_missed_gate_gives_exit_code_1(
    positions: tuple[int, ...], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [VERDICTS[position][0] for position in positions]
    monkeypatch.setattr(bench, "_measure", lambda *given: rows)
    monkeypatch.setattr(bench.shutil, "disk_usage", _free(10**12))
    assert run_bench(BUDGET_SIZE, None, write_raw) == code
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == "Temporary files take up to 10.0 GB of the 1000.0 GB that are free; they are removed at the end."
    assert last == "{} of {} gates met".format(*gates_met(rows, BUDGET_SIZE))


def _free(size: int) -> object:
    return lambda folder: SimpleNamespace(free=size)


def test_a_full_disk_is_told_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(bench.shutil, "disk_usage", _free(10**9))
    with pytest.raises(StoreProblem, match=r"needs about 10\.0 GB .* and 1\.0 GB are free"):
        run_bench(BUDGET_SIZE, None, write_raw)
    assert main(["bench", "--episodes", str(BUDGET_SIZE)]) == 1
    assert "1.0 GB are free" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_too_few_episodes_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageProblem):
        run_bench(99, None, write_raw)
    assert main(["bench", "--episodes", "99"]) == 2
    assert "from 100" in capsys.readouterr().err


# Data, and what runs on them


@dataclass(frozen=True)
class NoFacts:
    data_cut: date = date(2026, 9, 30)
    import_date: date = date(2026, 10, 5)


def write_unusable(folder: Path, episodes: int) -> NoFacts:
    """Stand in for the demo with a file that the import refuses."""
    folder.mkdir()
    (folder / "episodes.csv").write_text("stay\n1\n", encoding="utf-8")
    return NoFacts()


def test_a_failure_leaves_no_file_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bench.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(StoreProblem, match="could not import its data"):
        run_bench(EPISODES, None, write_unusable)
    assert list(tmp_path.iterdir()) == []


APP = """
import streamlit as st
st.navigation([st.Page("pages/data/second.py"), st.Page("pages/explore/first.py")]).run()
"""
# The page needs the demo: it fails without a published snapshot.
PAGE = """
import os, pathlib, streamlit as st
st.title((pathlib.Path(os.environ["IOP_STORE"]) / "CURRENT").read_text())
"""
LINES = [
    # work and peer, in the order of docs/benchmarks.md
    "completion by modality | bare sum of the same columns",
    "completion by modality, persons counted | bare sum of the same columns",
    f"overview: {len(catalog.headline())} measures, persons counted",
    "retention_km by modality, intervals and log-rank | statsmodels",
    "retention_km by modality, intervals and log-rank | R survfit, survdiff",
    "completion_cif by modality, intervals | R survfit, multi-state",
    "outcome tables, time",
    "outcome tables, peak memory",
    "sessions to weeks and stays, scores to pairs and weeks | pandas",
    "import of ",
    "import, peak memory",
    "page rerun on the demo, script time, median",
    "page rerun on the demo, script time, 95th percentile",
]


def test_every_row_is_measured_on_made_up_data_and_peers_give_the_same_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scratch, project, json_path = tmp_path / "scratch", tmp_path / "project", tmp_path / "figures.json"
    for name, text in (("app.py", APP), ("pages/explore/first.py", PAGE), ("pages/data/second.py", PAGE)):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    scratch.mkdir()
    monkeypatch.setattr(bench.tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(timing, "RUNS", 1)
    monkeypatch.setattr(page_runs, "DEMO_EPISODES", EPISODES)
    steps: list[str] = []
    code = run_bench(EPISODES, json_path, write_raw, steps.append, project)

    printed = capsys.readouterr().out.splitlines()
    content = json.loads(json_path.read_text(encoding="utf-8"))
    table = printed[4 : 4 + len(LINES)]
    assert [line for line, start in zip(table, LINES, strict=True) if not line.startswith(start)] == []
    assert f"{content['gates_met']} of {content['gates_measured']} gates met" == printed[-1]
    assert code == (0 if content["gates_met"] == content["gates_measured"] else 1)
    assert printed[-2].startswith("Machine: processors ") and content["machine"]["duckdb"] in printed[-2]
    # Six kinds of work, and every figure but the last two, which come with the table.
    assert len(steps) == 6 + len(LINES) - 2
    assert any(re.match(r"import of [\d,]+ raw rows, all rules  [\d,]+ rows/s  ≥ 300,000 rows/s$", s) for s in steps)

    by_work = {row["work"] + (f" | {row['peer']}" if row["peer"] else ""): row for row in content["rows"]}
    for work, row in by_work.items():
        if " | R " in work:
            continue  # measured only where R is installed
        assert row["reason"] is None and row["ours"] > 0 and row["runs"] > 0, work
        assert row["peer"] is None or row["ratio"] > 0, work
        # The page rows are about the demo, so they are judged at any size.
        judged = row["verdict"] in ("met", "missed")
        assert judged == work.startswith("page"), work
    note = next(row["note"] for work, row in by_work.items() if work.startswith("import of "))
    assert re.match(r"[\d,]+ s: [\d,]+ attendance, [\d,]+ scores, ", note)
    assert note in "".join(table)
    assert by_work["page rerun on the demo, script time, median"]["runs"] == 2 * page_runs.RUNS
    assert list(scratch.iterdir()) == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    imported = import_once(folder, EPISODES, write_raw)
    assert imported.rows > 10 * EPISODES
    assert sorted(path.name for path in (folder / "raw").iterdir()) == []
    return folder / "store"


@pytest.fixture(scope="module")
def snapshot(store: Path) -> Snapshot:
    return open_current(store)


def test_more_than_a_million_are_copies_of_the_same_people(store: Path, snapshot: Snapshot, tmp_path: Path) -> None:
    copies = open_current(copied_store(store, tmp_path / "copies", 3))
    measures = [catalog.find("completion"), catalog.find("reliable_improvement", "phq9"), catalog.find("attendance")]
    for once, thrice in zip(evaluate(measures, snapshot), evaluate(measures, copies), strict=True):
        one, three = once.estimates[ALL], thrice.estimates[ALL]
        assert three.value == pytest.approx(one.value)
        assert (three.numerator, three.denominator) == (3 * one.numerator, 3 * one.denominator)
        assert thrice.persons == 3 * (once.persons or 0) > 0
    people = "select count(distinct person_id), count(*) from referral"
    assert copies.query(people) == [tuple(3 * count for count in snapshot.query(people)[0])]


def test_the_bare_sum_reads_the_columns_of_the_measure_and_its_split(snapshot: Snapshot) -> None:
    text = bare_sum(snapshot, catalog.find("completion"), BY)
    columns = re.findall(r"sum\((?:enum_code|cast)\((\w+)", text)
    assert sorted(columns) == ["discharge_reason", "is_closed", "modality"]
    (sums,) = snapshot.query(text)
    closed = snapshot.query("select count(*) from episode_outcome where is_closed")
    assert [(sums[columns.index("is_closed")],)] == closed


def test_the_steps_compared_with_pandas_give_the_published_weeks(snapshot: Snapshot) -> None:
    text = ";\n".join(outcome_tables.steps_to_pairs(snapshot))
    differing = "select * from temp.attendance_week except all select * from main.attendance_week"
    ((differing_rows, first_totals),) = snapshot.query(
        f"{text};\nselect (select count(*) from ({differing})), sum(first_tenths) from score_pair"
    )
    assert differing_rows == 0
    # score_outcome keeps the pairs of the instruments that a program uses; every score of the demo is of one.
    assert snapshot.query("select cast(round(sum(first) * 10) as bigint) from score_outcome") == [(first_totals,)]


# Curves


def freireich() -> LeavingRows:
    """Remission in weeks, Freireich et al. 1963: 21 pairs, log-rank 16.79 with one degree of freedom."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapse = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    day, left = np.array([*weeks, *placebo], dtype=float), np.array([*relapse, *[1] * 21], dtype=float)
    group, name = np.repeat([0, 1], 21), np.repeat(np.array(["6-MP", "placebo"], dtype=object), 21)
    way = np.where(left == 1, "completed", "active")
    by_group = tuple((day[group == code], left[group == code]) for code in (0, 1))
    return LeavingRows(("6-MP", "placebo"), group, name, day, left, way, by_group)


def test_statsmodels_finds_the_published_log_rank() -> None:
    assert round(statsmodels_curves(freireich()), 2) == 16.79


def test_a_different_answer_of_a_peer_is_said() -> None:
    assert difference("log-rank", 16.79, 16.79 * (1 + 1e-9)) == ""
    assert difference("log-rank", 16.79, 16.8) == "log-rank differs: 16.79 against 16.8"
    assert difference("log-rank", None, 16.8) == "log-rank differs: None against 16.8"


def test_rows_for_the_peers_are_those_of_the_curve(snapshot: Snapshot) -> None:
    rows = leaving_rows(snapshot, catalog.find("retention_km"), catalog.find("completion_cif"), BY)
    assert rows.labels == ("hybrid", "in_person", "telehealth")
    expected = snapshot.query(
        "select modality::varchar, count(*), count(*) filter (where is_closed), sum(coalesce(exit_day, observed_days)) "
        "from episode_outcome group by 1 order by 1"
    )
    found = [
        (label, len(days), int(left.sum()), int(days.sum()))
        for label, (days, left) in zip(rows.labels, rows.by_group, strict=True)
    ]
    assert found == expected


@pytest.fixture
def fake_r(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program called Rscript on the path, alone."""
    if os.name == "nt":
        pytest.skip("the stand-in for R is a shell script")
    program = tmp_path / "Rscript"
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def becomes(program: Path, text: str) -> None:
    program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_without_r_the_rows_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_r(freireich(), tmp_path, "completed", 10) == "R is not installed"


def test_what_r_says_is_read_and_why_it_stopped_is_told(fake_r: Path, tmp_path: Path) -> None:
    becomes(fake_r, """echo '{"survival_seconds": 1.5, "competing_seconds": 2, "chi_square": 3, "incidence": 0.25}'""")
    assert run_r(freireich(), tmp_path, "completed", 10) == RAnswer(1.5, 2, 3, 0.25)
    data = (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()
    assert data[:2] == ["group,day,left,way", "0,6,1,completed"] and len(data) == 43
    becomes(fake_r, "exit 3")
    assert run_r(freireich(), tmp_path, "completed", 10) == "R has no package survival"
    becomes(fake_r, "echo 'Error: no memory' >&2; exit 1")
    assert run_r(freireich(), tmp_path, "completed", 10) == "R stopped: Error: no memory"


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_finds_the_published_log_rank(tmp_path: Path) -> None:
    answer = run_r(freireich(), tmp_path, "completed", 10)
    assert isinstance(answer, RAnswer), answer
    assert round(answer.chi_square, 2) == 16.79
    assert round(answer.incidence, 4) == round(1 - 0.7529, 4)  # one way of leaving: 1 - S(10) of the 6-MP arm


# Time and memory


def held(size: int) -> tuple[int, int]:
    """Hold `size` bytes for a moment; return the peak before and after."""
    before = timing.peak_memory() or 0
    block = np.ones(size, dtype=np.uint8)
    return before, (timing.peak_memory() or 0) + 0 * int(block[-1])


def test_the_peak_of_a_child_is_its_own() -> None:
    if timing.peak_memory() is None:
        pytest.skip("this system does not tell the memory of a process")
    block = np.ones(300_000_000, dtype=np.uint8)  # the parent's: no part of a child's peak
    before, after = timing.in_child(held, 100_000_000)
    assert block[-1] == 1 and before < 300_000_000
    assert after - before > 90_000_000


def end_process() -> None:
    os._exit(9)


def test_a_child_that_was_ended_is_told_in_a_sentence() -> None:
    with pytest.raises(IopError, match="want of memory"):
        timing.in_child(end_process)


def test_works_take_turns_after_a_warm_up() -> None:
    calls: list[str] = []
    seconds, runs = timing.medians(lambda: calls.append("a"), lambda: calls.append("b"))
    assert runs == 7 and len(seconds) == 2 and min(seconds) >= 0
    assert calls == ["a", "b"] * 8
    assert [timing.runs_after(seconds) for seconds in (9.9, 10.0, 99.9, 100.0)] == [7, 3, 3, 0]


def draws_progress() -> bool:
    """Return whether DuckDB would draw a progress bar onto the standard output of this process."""
    import duckdb

    (setting,) = duckdb.connect().execute("select current_setting('enable_progress_bar')").fetchone() or (None,)
    return bool(setting)


def test_no_progress_bar_gets_into_the_table() -> None:
    assert timing.in_child(draws_progress) is False
