"""Batches that add and correct: what is known keeps its place, the later word counts, and nothing is guessed.

SEC-52 of ../shared/privacy.md, and design.md 3 and 4 (data cut, key and anchors).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from analytics.errors import IopError
from analytics.intake.deidentify import new_key, read_key
from analytics.intake.report import ImportReport
from tests.spec.raw_files import CUT, Files, Provider, Row, made_up

ADMITTED = date(2026, 1, 5)  # a Monday
LATER = CUT + timedelta(60)


def day(number: int) -> date:
    return ADMITTED + timedelta(number)


# episode | person | day of the calendar     |                                      |
# E1      | P1     | 0 to 50, completed      | sessions 0, 7, 50; scores 0, 49      | hospital on day 60
# E2      | P2     | 10, still in            | session 10; score 10                 |
# E3      | P3     | 20 to 40, lost contact  | no rows of its own                   |
FILES: Files = {
    "episodes": [
        {"discharge_date": day(50), "discharge_reason": "completed"},
        {"episode_id": "E2", "person_id": "P2", "admit_date": day(10)},
        {"episode_id": "E3", "person_id": "P3", "admit_date": day(20), "discharge_date": day(40),
         "discharge_reason": "lost_contact"},
    ],
    "attendance": [
        {"session_date": day(0)}, {"session_date": day(7)}, {"session_date": day(50)},
        {"episode_id": "E2", "session_date": day(10)},
    ],
    "scores": [
        {"assessed_on": day(0), "total": 20}, {"assessed_on": day(49), "total": 9},
        {"episode_id": "E2", "assessed_on": day(10), "total": 12},
    ],
    "substance_use": [{"observed_on": day(7)}],
    "readmissions": [{"admit_date": day(60), "discharge_date": day(63)}],
    "followups": [{"attempted_on": day(85), "reached": False}],
    "capture": [{"from": day(0), "to": CUT}],
}  # fmt: skip

# What identifies a person's row in the answers below: the days of the stay, which no two of them share.
STAYS = "select e.start_day, e.los_days, e.observed_days from episode e order by all"


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    provider = Provider(tmp_path_factory.mktemp("imported") / "home")
    assert provider.load(FILES).published
    return provider


@pytest.fixture
def provider(imported: Provider, tmp_path: Path) -> Provider:
    """The three stays, published, in a store of its own."""
    return imported.copy(tmp_path / "home")


def rules(report: ImportReport) -> set[tuple[str, int | None, str | None, str]]:
    """File, row, column and rule of everything that was set aside."""
    return {(name, item.row, item.column, item.rule) for name, file in report.files.items() for item in file.rejected}


def warnings(report: ImportReport) -> set[tuple[str, int | None, str | None, str]]:
    return {(name, item.row, item.column, item.rule) for name, file in report.files.items() for item in file.warnings}


def in_one_go(home: Path, provider: Provider, files: Mapping[str, list[Row]], cut: date) -> dict[str, str]:
    """Table hashes of a full import of these files with the same key: what batches must add up to."""
    fresh = Provider(home)
    fresh.key_file.write_bytes(provider.key_file.read_bytes())
    assert fresh.load(files, cut=cut).published
    return dict(fresh.open().facts.table_hashes)


# Adding


def test_a_batch_that_says_nothing_new_publishes_nothing_new(provider: Provider) -> None:
    before = provider.open().snapshot_id
    for files in (FILES, {"scores": FILES["scores"][:1]}):
        report = provider.add(files)
        assert (report.published, report.unchanged, report.snapshot_id) == (True, True, before)
        assert rules(report) == set()


def test_batches_add_up_to_one_import_of_everything(tmp_path: Path) -> None:
    files = made_up(seed=4, episodes=60)
    provider = Provider(tmp_path / "batches")
    # A third of the people at a time; then the last third of the rows of everybody's children.
    people = sorted({str(row["person_id"]) for row in files["episodes"]})
    person_of = {row["episode_id"]: row["person_id"] for row in files["episodes"]}

    def part(number: int) -> Files:
        mine = set(people[number::3])
        return {
            table: [row for row in rows if (row.get("person_id") or person_of[row["episode_id"]]) in mine]
            for table, rows in files.items()
        }

    late = {table: rows[::3] for table, rows in part(2).items() if table != "episodes"}
    early = {table: [row for row in rows if row not in late.get(table, [])] for table, rows in part(2).items()}
    provider.load(part(0))
    for batch in (part(1), early, late):
        report = provider.add(batch)
        assert report.published and not report.unchanged and rules(report) == set()
    whole = in_one_go(tmp_path / "whole", provider, files, CUT)
    assert dict(provider.open().facts.table_hashes) == whole


def test_a_late_discharge_closes_the_stay_and_keeps_what_was_known(provider: Provider) -> None:
    closed: Row = {
        "episode_id": "E2",
        "person_id": "P2",
        "admit_date": day(10),
        "discharge_date": day(66),
        "discharge_reason": "completed",
    }
    report = provider.add({"episodes": [closed]})
    assert report.published and report.files["episodes.csv"].accepted == 1
    assert provider.query("select count(*), count(los_days) from episode") == [(3, 3)]
    rows = provider.query(
        "select o.los_days, o.exit::varchar, o.attended_sessions, s.first from episode_outcome o "
        "join score_outcome s using (episode_id) where o.los_days = 56"
    )
    assert rows == [(56, "completed", 1, 12.0)]


def test_a_follow_up_of_a_stay_that_only_the_store_knows(provider: Provider) -> None:
    report = provider.add(
        {
            "followups": [
                {"due_day": 90, "attempted_on": day(50 + 95), "days_abstinent_past_30": 30},
                {"episode_id": "E3", "attempted_on": day(40 + 31), "reached": False},
                {"episode_id": "E2", "attempted_on": day(90), "reached": False},  # still in
                {"episode_id": "E9", "attempted_on": day(90), "reached": False},  # nobody
                {"episode_id": "E1", "due_day": 180, "attempted_on": day(49), "reached": False},  # still in then
            ]
        }
    )
    assert rules(report) == {
        ("followups.csv", 3, "episode_id", "FOLLOWUP_BEFORE_DISCHARGE"),
        ("followups.csv", 4, "episode_id", "FK_MISSING"),
        ("followups.csv", 5, "attempted_on", "FOLLOWUP_BEFORE_DISCHARGE"),
    }
    found = provider.query(
        "select los_days, due_day, attempted_day, reached, days_abstinent_past_30 "
        "from followup join episode using (episode_id) order by all"
    )
    assert found == [(20, 30, 31, False, None), (50, 30, 35, False, None), (50, 90, 95, True, 30)]


def test_sessions_scores_and_hospital_stays_of_known_people_find_their_place(provider: Provider) -> None:
    report = provider.add(
        {
            "attendance": [
                {"session_date": day(14)},
                {"session_date": day(51)},  # after discharge
                {"episode_id": "E2", "session_date": day(12)},
            ],
            "scores": [{"episode_id": "E3", "assessed_on": day(39), "total": 3}],
            "readmissions": [{"person_id": "P3", "admit_date": day(70)}, {"person_id": "P9", "admit_date": day(70)}],
            "capture": [{"person_id": "P3", "from": day(20), "to": day(100)}],
        }
    )
    assert rules(report) == {
        ("attendance.csv", 2, "session_date", "DATE_OUTSIDE_EPISODE"),
        ("readmissions.csv", 2, "person_id", "FK_MISSING"),
    }
    assert provider.query(
        "select los_days, list(day order by day) from attendance join episode using (episode_id) "
        "group by all order by 1"
    ) == [(50, [0, 7, 14, 50]), (None, [0, 2])]
    assert provider.query("select day from score join episode using (episode_id) where los_days = 20") == [(19,)]
    assert provider.query(
        "select los_days, a.start_day from acute_event a join episode using (person_id) order by 1"
    ) == [(20, 50), (50, 60)]
    assert provider.query("select count(*) from capture") == [(2,)]


# Correcting


def test_the_later_word_about_a_row_counts(provider: Provider) -> None:
    report = provider.add(
        {
            "scores": [{"assessed_on": day(49), "total": 4}],
            "attendance": [{"session_date": day(7), "status": "no_show", "minutes": 0}],
            "followups": [{"attempted_on": day(86), "reached": True, "days_abstinent_past_30": 12}],
            "substance_use": [{"observed_on": day(7), "result": "positive"}],
            "readmissions": [{"admit_date": day(60), "planned": True}],
        }
    )
    assert report.published and rules(report) == set()
    assert provider.query("select first, last from score_outcome where los_days = 50") == [(20.0, 4.0)]
    assert provider.query("select day, status::varchar, minutes from attendance where day = 7") == [(7, "no_show", 0)]
    assert provider.query("select attempted_day, reached, days_abstinent_past_30 from followup") == [(36, True, 12)]
    assert provider.query("select result::varchar from substance_use") == [("positive",)]
    assert provider.query("select start_day, end_day, planned from acute_event") == [(60, None, True)]
    # One row per key, as many as before.
    counts = provider.open().facts.counts
    assert (counts["score"], counts["attendance"], counts["episode"]) == (3, 4, 3)


def test_a_correction_can_be_corrected_and_a_contradiction_is_not_believed(provider: Provider) -> None:
    provider.add({"scores": [{"assessed_on": day(49), "total": 4}]})
    provider.add({"scores": [{"assessed_on": day(49), "total": 5}]})
    assert provider.query("select last from score_outcome where los_days = 50") == [(5.0,)]
    report = provider.add({"scores": [{"assessed_on": day(49), "total": 6}, {"assessed_on": day(49), "total": 7}]})
    assert {rule for *_, rule in rules(report)} == {"DUPLICATE_CONFLICT"}
    assert provider.query("select last from score_outcome where los_days = 50") == [(5.0,)]


def test_a_changed_admission_places_everything_anew(provider: Provider) -> None:
    # Admitted two days earlier than it said: every day of the stay is two more, discharge and hospital stay where they
    # were on the calendar.
    moved: Row = {"admit_date": day(-2), "discharge_date": day(50), "discharge_reason": "completed"}
    assert provider.add({"episodes": [moved]}).published
    assert provider.query("select los_days from episode where los_days > 40") == [(52,)]
    days = "select list(day order by day) from {} join episode using (episode_id) where los_days = 52"
    assert provider.query(days.format("attendance")) == [([2, 9, 52],)]
    assert provider.query(days.format("score")) == [([2, 51],)]
    assert provider.query(days.format("substance_use")) == [([9],)]
    assert provider.query("select start_day, end_day from acute_event") == [(62, 65)]
    assert provider.query("select attempted_day from followup") == [(35,)]
    # Later than it said: the session before it no longer lies in the stay.
    late: Row = {"admit_date": day(3), "discharge_date": day(50), "discharge_reason": "completed"}
    assert provider.add({"episodes": [late]}).published
    assert provider.query(days.replace("52", "47").format("attendance")) == [([4, 47],)]
    assert provider.query(days.replace("52", "47").format("score")) == [([-3, 46],)]
    assert provider.query("select start_day from acute_event") == [(57,)]


def test_a_changed_discharge_moves_the_follow_ups(provider: Provider) -> None:
    left: Row = {"discharge_date": day(48), "discharge_reason": "completed"}
    assert provider.add({"episodes": [left]}).published
    # The call was on day 85: now 37 days after the discharge. The session of day 50 is outside the stay.
    assert provider.query("select attempted_day from followup") == [(37,)]
    assert provider.query("select max(day) from attendance join episode using (episode_id) where los_days = 48") == [
        (7,)
    ]


def test_a_later_discharge_leaves_an_earlier_call_behind_as_a_full_import_would(provider: Provider) -> None:
    left: Row = {"discharge_date": day(86), "discharge_reason": "completed"}
    assert provider.add({"episodes": [left]}).published  # the call was on day 85
    assert provider.query("select count(*) from followup") == [(0,)]


def test_a_changed_admission_moves_the_whole_line_of_the_person(provider: Provider, tmp_path: Path) -> None:
    """Other stays, their scores, hospital stays and windows: all that is counted from the first admission."""
    again: Row = {"episode_id": "E4", "admit_date": day(80), "person_id": "P1"}
    score: Row = {"episode_id": "E4", "assessed_on": day(90), "total": 2}
    window: Row = {"from": day(-400), "to": CUT}
    provider.add({"episodes": [again], "scores": [score], "capture": [window]})
    moved: Row = {"admit_date": day(-5), "discharge_date": day(50), "discharge_reason": "completed"}
    provider.add({"episodes": [moved], "capture": [window, FILES["capture"][0]]})
    line = "select start_day, los_days from episode where person_id = (select person_id from acute_event) order by all"
    assert provider.query(line) == [(0, 55), (85, None)]
    assert provider.query("select start_day, end_day from acute_event") == [(65, 68)]
    assert provider.query("select start_day, day from score join episode using (episode_id) where start_day > 0") == [
        (85, 10)
    ]
    files: Files = {**FILES, "episodes": [moved, *FILES["episodes"][1:], again]}
    files |= {"scores": [*FILES["scores"], score], "capture": [window, FILES["capture"][0]]}
    whole = in_one_go(tmp_path / "whole", provider, files, CUT)
    assert dict(provider.open().facts.table_hashes) == whole


def test_a_window_of_capture_that_is_corrected_replaces_the_one_that_was_cut_to_the_first_admission(
    provider: Provider, tmp_path: Path
) -> None:
    long: Row = {"from": day(-400), "to": day(100)}
    for window, to_day in ((long, 100), ({**long, "to": day(30)}, 30), ({**long, "to": day(120)}, 120)):
        provider.add({"capture": [window, {"from": day(0), "to": day(20)}]})
        assert provider.query("select from_day, to_day from capture") == [(0, to_day)]


def test_a_stay_that_is_open_again_has_no_follow_up(provider: Provider) -> None:
    assert provider.add({"episodes": [{}]}).published
    assert provider.query("select count(*), count(los_days) from episode") == [(3, 1)]
    assert provider.query("select count(*) from followup") == [(0,)]


def test_a_known_episode_cannot_become_another_persons(provider: Provider) -> None:
    before = provider.open().snapshot_id
    stolen: Row = {"person_id": "P2", "discharge_date": day(50), "discharge_reason": "completed"}
    report = provider.add({"episodes": [stolen]})
    assert rules(report) == {("episodes.csv", 1, "person_id", "IMMUTABLE_CHANGED")}
    assert report.published and report.unchanged and report.snapshot_id == before
    # Its children still find the episode as it was.
    report = provider.add({"episodes": [stolen], "scores": [{"assessed_on": day(20), "total": 1}]})
    assert report.files["scores.csv"].accepted == 1
    assert provider.query("select count(*) from score where day = 20") == [(1,)]


# People who come back


def test_a_new_stay_of_a_known_person_stands_on_their_time_line(provider: Provider) -> None:
    again: Row = {"episode_id": "E4", "admit_date": day(80), "person_id": "P1"}
    assert provider.add({"episodes": [again]}).published
    person = (
        "select start_day, los_days, person_sequence, course from episode_outcome "
        "where person_id = (select person_id from acute_event) order by start_day"
    )
    assert provider.query(person) == [(0, 50, 1, 1), (80, None, 2, 1)]  # 30 days after: the same course
    # An earlier stay that comes to light moves the beginning of the line.
    earlier: Row = {
        **{"episode_id": "E0", "admit_date": day(-100), "discharge_date": day(-60)},
        "discharge_reason": "moved",
    }
    assert provider.add({"episodes": [earlier]}).published
    assert provider.query(person) == [(0, 40, 1, 1), (100, 50, 2, 2), (180, None, 3, 2)]
    assert provider.query("select start_day, end_day from acute_event") == [(160, 163)]


@pytest.mark.parametrize(
    ("admitted", "level", "refused"),
    [
        (49, "IOP", True),  # a day before E1 ends
        (50, "IOP", False),  # on the day it ends
        (10, "PHP", False),  # another level of care
        (-20, "IOP", True),  # begins before E1 and is still open
    ],
)
def test_stays_of_one_person_do_not_overlap_across_batches(
    provider: Provider, admitted: int, level: str, refused: bool
) -> None:
    report = provider.add({"episodes": [{"episode_id": "E4", "admit_date": day(admitted), "level_of_care": level}]})
    overlap = {("episodes.csv", 1, "admit_date", "EPISODE_OVERLAP")}
    assert rules(report) == (overlap if refused else set())
    assert provider.query("select count(*) from episode") == [(3 if refused else 4,)]


# The data cut


def test_observed_days_grow_with_the_data_cut(provider: Provider) -> None:
    stays = "select los_days, observed_days from episode order by 1"
    observed = (CUT - ADMITTED).days
    assert provider.query(stays) == [(20, observed - 20), (50, observed), (None, observed - 10)]
    report = provider.add({}, cut=LATER)
    assert report.published and not report.unchanged
    assert provider.query(stays) == [(20, observed + 40), (50, observed + 60), (None, observed + 50)]
    assert provider.open().facts.data_as_of == str(LATER)
    # Up to 455 days after discharge, and no further.
    provider.add({}, cut=date(2028, 6, 30))
    assert provider.query(stays)[:2] == [(20, 475), (50, 505)]


def test_rows_after_the_data_cut_are_set_aside_and_read_next_time(provider: Provider) -> None:
    tomorrow = CUT + timedelta(1)
    batch: Files = {
        "episodes": [{"episode_id": "E4", "person_id": "P4", "admit_date": tomorrow}],
        "attendance": [{"episode_id": "E2", "session_date": CUT}, {"episode_id": "E2", "session_date": tomorrow}],
        "scores": [{"episode_id": "E2", "assessed_on": tomorrow}],
        "followups": [{"due_day": 180, "attempted_on": tomorrow, "reached": False}],
        "readmissions": [{"person_id": "P2", "admit_date": tomorrow}],
        "substance_use": [{"episode_id": "E2", "observed_on": tomorrow}],
    }
    report = provider.add(batch, imported=LATER)
    assert rules(report) == {
        ("episodes.csv", 1, "admit_date", "AFTER_DATA_CUT"),
        ("attendance.csv", 2, "session_date", "AFTER_DATA_CUT"),
        ("scores.csv", 1, "assessed_on", "AFTER_DATA_CUT"),
        ("followups.csv", 1, "attempted_on", "AFTER_DATA_CUT"),
        ("readmissions.csv", 1, "admit_date", "AFTER_DATA_CUT"),
        ("substance_use.csv", 1, "observed_on", "AFTER_DATA_CUT"),
    }
    before = provider.open().facts.counts
    report = provider.add(batch, cut=LATER)
    assert rules(report) == set()
    after = provider.open().facts.counts
    grown = {table: after[table] - before[table] for table in after if after[table] != before[table]}
    assert {table: more for table, more in grown.items() if "_" not in table} == {
        "episode": 1, "attendance": 1, "score": 1, "followup": 1,
    }  # fmt: skip
    assert (grown["acute_event"], grown["substance_use"]) == (1, 1)


def test_a_row_after_the_day_of_the_import_is_a_mistake(provider: Provider) -> None:
    report = provider.add({"scores": [{"episode_id": "E2", "assessed_on": CUT + timedelta(1)}]})
    assert rules(report) == {("scores.csv", 1, "assessed_on", "DATE_FUTURE")}


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_discharge_after_the_data_cut_leaves_the_stay_open_with_a_warning(provider: Provider, mode: str) -> None:
    tomorrow = CUT + timedelta(1)
    files: Files = {
        **(FILES if mode == "full" else {}),
        "episodes": [
            FILES["episodes"][0],
            {"episode_id": "E2", "person_id": "P2", "admit_date": day(10), "discharge_date": tomorrow,
             "discharge_reason": "completed"},
            FILES["episodes"][2],
        ],
    }  # fmt: skip
    report = provider.load(files, mode=mode, imported=LATER)
    assert rules(report) == set()
    assert warnings(report) == {("episodes.csv", 2, "discharge_date", "DISCHARGE_AFTER_CUT")}
    open_stay = "select los_days, discharge_reason, exit::varchar from episode_outcome where not is_closed"
    assert provider.query(open_stay) == [(None, None, "active")]
    report = provider.load(files, mode=mode, cut=LATER)
    assert warnings(report) == set() and provider.query(open_stay) == []
    assert provider.query("select max(los_days) from episode") == [((tomorrow - day(10)).days,)]


def test_a_data_cut_before_the_last_one_is_refused_in_a_sentence(provider: Provider) -> None:
    """What is known lies after such a cut; nothing may be thrown away, and nothing may break."""
    before = provider.open().snapshot_id
    for cut in (CUT - timedelta(1), day(5)):
        with pytest.raises(IopError, match="data cut"):
            provider.add({"scores": [{"assessed_on": day(4), "total": 3}]}, cut=cut)
        assert provider.open().snapshot_id == before


# Anchors


def test_without_the_anchors_nothing_can_be_placed(provider: Provider) -> None:
    path = provider.key.anchors_path
    assert path is not None
    before = provider.open().snapshot_id
    content = path.read_bytes()
    other = content.replace(before.encode(), b"0" * 12, 1)
    for damage in (None, b"", b"\xff\xfe", other):
        path.unlink(missing_ok=True)
        if damage is not None:
            path.write_bytes(damage)
        report = provider.add({"scores": [{"assessed_on": day(20), "total": 1}]})
        assert (report.published, report.batch_rule) == (False, "ANCHORS_MISSING")
        assert "Run a full import once" in report.as_text()
        assert provider.open().snapshot_id == before
    # As the sentence says.
    assert provider.load(FILES).unchanged
    assert path.read_bytes() == content
    assert provider.add({"scores": [{"assessed_on": day(20), "total": 1}]}).published


def test_anchors_of_another_store_do_not_fit(provider: Provider, tmp_path: Path) -> None:
    other = Provider(tmp_path / "other")
    other.key_file.write_bytes(provider.key_file.read_bytes())
    other.load({"episodes": [{"admit_date": day(1)}]})
    path, strange = provider.key.anchors_path, other.key.anchors_path
    assert path is not None and strange is not None
    path.write_bytes(strange.read_bytes())
    assert provider.add({}).batch_rule == "ANCHORS_MISSING"


def test_an_incremental_batch_into_an_empty_store_is_a_full_one(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    assert provider.add(FILES).published
    assert provider.query("select count(*) from episode") == [(3,)]
    assert provider.add({"scores": [{"assessed_on": day(20), "total": 1}]}).published


def test_another_key_cannot_add(provider: Provider, tmp_path: Path) -> None:
    new_key(tmp_path / "other.key")
    report = provider.load(FILES, mode="incremental", key=read_key(tmp_path / "other.key", provider.store))
    assert (report.published, report.batch_rule) == (False, "KEY_CHANGED")


def test_a_lost_state_is_said_in_a_sentence(provider: Provider) -> None:
    state = provider.store / "batches" / provider.open().snapshot_id / "score.parquet"
    state.unlink()
    with pytest.raises(IopError, match="full import"):
        provider.add({"scores": [{"assessed_on": day(20), "total": 1}]})


# What was collected


def test_what_was_collected_once_stays_collected(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    provider.load({"episodes": [{}], "substance_use": [], "scores": [{"assessed_on": day(0)}]})
    collected = "select attendance, score, substance_use, followup, acute_event, capture from collected"
    assert provider.query(collected) == [(False, True, True, False, False, False)]
    # A batch of another file takes nothing away: an empty file said that nobody had one.
    provider.add({"attendance": [{"session_date": day(0)}]})
    assert provider.query(collected) == [(True, True, True, False, False, False)]


def test_sessions_of_one_day_keep_their_marks_across_batches(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    morning: Row = {"session_date": day(0), "session_no": "am", "minutes": 60}
    evening: Row = {"session_date": day(0), "session_no": "pm", "minutes": 90}
    provider.load({"episodes": [{}], "attendance": [morning, evening]})
    # The evening session is corrected; the morning one stays as it was.
    provider.add({"attendance": [{**evening, "minutes": 45}]})
    assert provider.query("select sum(minutes), count(*) from attendance") == [(105, 2)]


def test_a_row_without_a_mark_is_told_from_one_that_has_the_mark_it_would_get(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    sessions: list[Row] = [
        {"session_date": day(0), "session_no": mark, "minutes": 60} for mark in (None, "0", "1", "01", "00", "a")
    ]
    tests: list[Row] = [{"observed_on": day(0), "substance": name} for name in (None, "any", "opioid")]
    report = provider.load({"episodes": [{}], "attendance": sessions, "substance_use": tests})
    assert report.published and rules(report) == {("substance_use.csv", 2, "episode_id", "DUPLICATE_EXACT")}
    assert provider.query("select count(distinct session_no) from attendance") == [(6,)]
    before = provider.open().snapshot_id
    assert provider.add({"attendance": sessions[2:], "substance_use": tests[:1]}).snapshot_id == before
