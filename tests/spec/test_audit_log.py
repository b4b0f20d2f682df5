"""The audit log notices a changed, removed, swapped or torn line, and survives concurrent writers."""

import json
import multiprocessing
from pathlib import Path

import pytest

from analytics import audit_log


def three_lines(folder: Path) -> Path:
    log = folder / "logs" / "audit.jsonl"
    for measure in ("completion", "retention_30", "readmission_30d"):
        audit_log.append(log, "download", measure=measure, tier="internal", rows=4, filters={"site": ["east"]})
    return log


def rewrite(log: Path, lines: list[str]) -> None:
    log.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def test_each_line_says_what_was_taken_and_carries_the_hash_of_the_line_before(tmp_path: Path) -> None:
    log = three_lines(tmp_path)
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [entry["sequence"] for entry in entries] == [1, 2, 3]
    assert [entry["measure"] for entry in entries] == ["completion", "retention_30", "readmission_30d"]
    assert entries[0]["previous"] == "0" * 64
    assert len({entry["previous"] for entry in entries}) == 3
    assert all(entry["time"].endswith("+00:00") and entry["filters"] == {"site": ["east"]} for entry in entries)
    assert audit_log.verify(log) == []


def test_a_log_never_begun_has_no_problems(tmp_path: Path) -> None:
    assert audit_log.verify(tmp_path / "none.jsonl") == []


def test_a_changed_line_is_noticed(tmp_path: Path) -> None:
    log = three_lines(tmp_path)
    lines = log.read_text(encoding="utf-8").splitlines()
    rewrite(log, [lines[0], lines[1].replace("retention_30", "retention_90"), lines[2]])
    assert [problem.split(" does")[0] for problem in audit_log.verify(log)] == ["Line 3"]


def test_a_changed_last_line_is_noticed(tmp_path: Path) -> None:
    log = three_lines(tmp_path)
    lines = log.read_text(encoding="utf-8").splitlines()
    rewrite(log, [*lines[:2], lines[2].replace('"rows": 4', '"rows": 5')])
    assert audit_log.verify(log) == ["The end of the log is not line 3 as it was written."]


@pytest.mark.parametrize(
    "kept",
    [
        (1, 2),  # the first removed
        (0, 2),  # the middle removed
        (0, 1),  # the end cut off
        (0, 2, 1),  # two swapped
        (0, 1, 1, 2),  # one repeated
        (),  # emptied
    ],
)
def test_removed_swapped_and_repeated_lines_are_noticed(tmp_path: Path, kept: tuple[int, ...]) -> None:
    log = three_lines(tmp_path)
    lines = log.read_text(encoding="utf-8").splitlines()
    rewrite(log, [lines[number] for number in kept])
    assert audit_log.verify(log)


def test_a_deleted_log_is_noticed(tmp_path: Path) -> None:
    log = three_lines(tmp_path)
    log.unlink()
    assert audit_log.verify(log) == ["The log is missing, but lines were written to it."]


def test_the_next_line_does_not_close_the_gap_of_a_cut_end(tmp_path: Path) -> None:
    log = three_lines(tmp_path)
    rewrite(log, log.read_text(encoding="utf-8").splitlines()[:2])
    audit_log.append(log, "download", measure="completion")
    assert [problem.split(" does")[0] for problem in audit_log.verify(log)] == ["Line 3"]


def test_a_line_torn_by_a_crash_stays_visible_and_the_chain_goes_on(tmp_path: Path) -> None:
    log = three_lines(tmp_path)
    with log.open("a", encoding="utf-8") as file:
        file.write('{"sequence": 4, "ti')
    assert audit_log.verify(log) == ["Line 4 is damaged or incomplete."]
    audit_log.append(log, "download", measure="completion")
    assert audit_log.verify(log) == ["Line 4 is damaged or incomplete."]
    assert json.loads(log.read_text(encoding="utf-8").splitlines()[-1])["sequence"] == 4


def test_a_crash_between_the_line_and_the_head_is_no_problem(tmp_path: Path) -> None:
    log = three_lines(tmp_path)
    head = log.with_name(log.name + ".head")
    before = head.read_bytes()
    audit_log.append(log, "download", measure="completion")
    head.write_bytes(before)  # as if the power had gone after the line was written
    assert audit_log.verify(log) == []
    audit_log.append(log, "download", measure="completion")
    assert audit_log.verify(log) == []
    assert json.loads(log.read_text(encoding="utf-8").splitlines()[-1])["sequence"] == 5


def test_a_line_longer_than_one_read_is_found_again(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    audit_log.append(log, "note", text="x" * 200_000)
    log.with_name(log.name + ".head").unlink()  # so that the log itself must be read from its end
    audit_log.append(log, "note")
    assert [json.loads(line)["sequence"] for line in log.read_text(encoding="utf-8").splitlines()] == [1, 2]


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        audit_log.append(blocked / "audit.jsonl", "download")
    with pytest.raises(ValueError, match="sets these fields itself: previous"):
        audit_log.append(tmp_path / "audit.jsonl", "download", previous="forged")
    with pytest.raises(TypeError):
        audit_log.append(tmp_path / "audit.jsonl", "download", what=object())
    assert not (tmp_path / "audit.jsonl").exists()


def write_twenty(log: Path) -> None:
    for _ in range(20):
        audit_log.append(log, "download")


def test_four_writers_at_once_make_one_chain(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_twenty, args=(log,)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    assert audit_log.verify(log) == []
    assert len(log.read_text(encoding="utf-8").splitlines()) == 80
