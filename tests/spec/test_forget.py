"""People who ask to be taken out: nothing of them stays, nobody else changes, and they do not come back.

`forget` of ../shared/privacy.md 4.2. The oracle is a full import of the same files without these people.
"""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.__main__ import main
from analytics.audit_log import log_of, verify
from analytics.doctor import examine
from analytics.errors import StoreProblem, UsageProblem
from analytics.intake.forget import UNFINISHED, allow_return, forget
from analytics.intake.forgotten import person_pseudonym, read_forgotten
from analytics.intake.relative import PrivacyMode
from analytics.session import Session, local_viewer
from analytics.settings import PROJECT_ROOT
from analytics.store.snapshot import current_id
from analytics.store.states import state_ids
from tests.spec.raw_files import CUT, Files, Provider, asked_and_said, made_up

REASON = "consent revoked"


def some_people(files: Files) -> list[str]:
    """One with two stays, one whose stay ended long ago, one who is still in."""
    stays: dict[str, list[dict[str, object]]] = {}
    for row in files["episodes"]:
        stays.setdefault(str(row["person_id"]), []).append(row)

    def first(which: Iterable[str]) -> str:
        return next(iter(which))

    def left(person: str) -> date | None:
        last = stays[person][-1]["discharge_date"]
        return last if isinstance(last, date) else None

    return [
        first(person for person, rows in stays.items() if len(rows) == 2),
        first(person for person, rows in stays.items() if (left(person) or CUT) < CUT - timedelta(500)),
        first(person for person, rows in stays.items() if left(person) is None),
    ]


def without(files: Files, people: Iterable[str]) -> Files:
    gone = set(people)
    stays = {row["episode_id"] for row in files["episodes"] if row["person_id"] in gone}
    return {
        table: [row for row in rows if row.get("person_id") not in gone and row.get("episode_id") not in stays]
        for table, rows in files.items()
    }


STAYS = made_up(seed=6, episodes=60)
EARLIER = STAYS | asked_and_said(6, STAYS)
LATER: Files = {**EARLIER, "scores": [{**row, "total": 0} if row["total"] == 7 else row for row in EARLIER["scores"]]}
PEOPLE = some_people(EARLIER)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """Two contents, one after the other, in `limited` mode; tests take a copy."""
    provider = Provider(tmp_path_factory.mktemp("loaded") / "home")
    for files in (EARLIER, LATER):
        provider.load(files)
    return provider


@pytest.fixture
def provider(loaded: Provider, tmp_path: Path) -> Provider:
    return loaded.copy(tmp_path / "home")


@pytest.fixture(scope="module")
def expected(loaded: Provider, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The ids of both contents without these people; the second serves."""
    return oracle(loaded, tmp_path_factory.mktemp("expected") / "home", PEOPLE, "limited")


def oracle(provider: Provider, home: Path, people: Iterable[str], mode: PrivacyMode) -> list[str]:
    fresh = Provider(home)
    fresh.key_file.write_bytes(provider.key_file.read_bytes())
    reports = [fresh.load(without(files, people), privacy=mode) for files in (EARLIER, LATER)]
    return [str(report.snapshot_id) for report in reports]


def pseudonyms(provider: Provider, people: Iterable[str]) -> set[str]:
    """Of these people and of all their stays, by the function that is tested elsewhere against `hmac`."""
    folder = provider.store / "batches" / str(current_id(provider.store))
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select person_key, episode_key from read_parquet($path) where list_contains($people, person_key)",
            {"path": str(folder / "episode.parquet"), "people": [person_pseudonym(provider.key, p) for p in people]},
        ).fetchall()
    return {str(key) for row in rows for key in row}


def traces(provider: Provider, secrets: set[str]) -> list[tuple[str, str]]:
    """Where any of the pseudonyms stands, also inside compressed files; the list beside the key is where it may."""
    found = []
    for path in provider.home.rglob("*"):
        if not path.is_file() or "inbox" in path.parts or path.name.endswith(".forgotten"):
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            with duckdb.connect() as connection:
                content += repr(connection.execute("from read_parquet(?)", [str(path)]).fetchall()).encode()
        found += [(path.name, secret) for secret in secrets if secret.encode() in content]
    return found


@pytest.mark.parametrize(
    "mode", ["limited", *(pytest.param(mode, marks=pytest.mark.long) for mode in ("expert", "safe_harbor"))]
)
def test_what_stays_is_what_an_import_without_them_gives(
    provider: Provider, expected: list[str], tmp_path: Path, mode: PrivacyMode
) -> None:
    if mode != "limited":
        expected = oracle(provider, tmp_path / "oracle", PEOPLE, mode)
        shutil.rmtree(provider.store)
        for files in (EARLIER, LATER):
            provider.load(files, privacy=mode)
    secrets = pseudonyms(provider, PEOPLE)
    assert len(secrets) >= 7 and {name for name, _ in traces(provider, secrets)} >= {"episode.parquet"}
    done = forget(provider.store, provider.key, PEOPLE, REASON)
    assert (done.asked, done.found, done.listed, done.rewritten, done.removed) == (3, 3, 3, 2, 0)
    assert done.snapshot_id == current_id(provider.store) == expected[1]
    assert state_ids(provider.store) == sorted(expected)
    assert [path.stem for path in provider.store.glob("snapshot-*.duckdb")] == [f"snapshot-{expected[1]}"]
    assert traces(provider, secrets) == []
    provider.open().close()


def test_somebody_who_only_asked_can_be_taken_out_too(provider: Provider, tmp_path: Path) -> None:
    asked = ["Q00003"]
    secrets = {person_pseudonym(provider.key, person) for person in asked}
    assert {name for name, _ in traces(provider, secrets)} == {"referral.parquet", "pseudonyms.key.anchors"}
    done = forget(provider.store, provider.key, asked, REASON)
    assert (done.found, done.rewritten) == (1, 2)
    assert state_ids(provider.store) == sorted(oracle(provider, tmp_path / "oracle", asked, "limited"))
    assert traces(provider, secrets) == []
    theirs = [row for row in LATER["referrals"] if row["person_id"] in asked]
    report = provider.add({"referrals": [*theirs, {"referral_id": "R-new", "person_id": "Q-new", "received_on": CUT}]})
    assert [item.rule for item in report.files["referrals.csv"].rejected] == ["FORGOTTEN_PERSON"] * len(theirs)
    assert report.published and report.files["referrals.csv"].accepted == 1


def test_they_do_not_come_back(provider: Provider, expected: list[str]) -> None:
    forget(provider.store, provider.key, PEOPLE, REASON)
    # The whole export again, one of their rows with a mistake: all of theirs are set aside, nothing is new.
    files: Files = {**LATER, "episodes": [dict(row) for row in LATER["episodes"]]}
    stay = next(row for row in files["episodes"] if row["person_id"] == PEOPLE[0])
    stay["age_band"] = "secret"
    report = provider.load(files)
    assert report.unchanged and report.snapshot_id == expected[1]
    for table, rows in LATER.items():
        theirs = len(rows) - len(without(LATER, PEOPLE)[table])
        file = report.files[f"{table}.csv"]
        assert {item.rule for item in file.rejected} == ({"FORGOTTEN_PERSON"} if theirs else set()), table
        assert (file.rejected_count, file.accepted) == (theirs, len(rows) - theirs)
    assert "Nothing to do: left out by request" in report.as_text()
    assert not any(person in report.as_text() + report.as_json() for person in PEOPLE)


def test_batches_leave_them_out_too(provider: Provider) -> None:
    forget(provider.store, provider.key, PEOPLE, REASON)
    again = [row for row in LATER["episodes"] if row["person_id"] == PEOPLE[2]][-1:]
    score = {"episode_id": again[0]["episode_id"], "assessed_on": CUT, "total": 3}
    batch: Files = {
        "episodes": [*again, {"episode_id": "E-new", "person_id": "P-new"}],
        "scores": [score, {**score, "episode_id": "E-new"}],
        "readmissions": [{"person_id": PEOPLE[2], "admit_date": CUT}, {"person_id": "P-new", "admit_date": CUT}],
    }
    report = provider.add(batch)
    assert report.published and provider.query("select count(*) from episode") == [
        (len(without(LATER, PEOPLE)["episodes"]) + 1,)
    ]
    for name in ("episodes.csv", "scores.csv", "readmissions.csv"):
        assert [(item.row, item.rule, item.masked) for item in report.files[name].rejected] == [
            (1, "FORGOTTEN_PERSON", None)
        ]
    # The store does not say which rows of the export were theirs.
    assert provider.query("select distinct rule, record, masked from quarantine") == [("FORGOTTEN_PERSON", None, None)]


def test_after_a_renewed_consent_they_may_come_back(provider: Provider) -> None:
    before = provider.open().facts.content_hash
    forget(provider.store, provider.key, PEOPLE, REASON)
    assert allow_return(provider.key, [*PEOPLE, "P-unknown"]) == 3
    provider.load(LATER)
    assert provider.open().facts.content_hash == before


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main(["forget", *map(str, arguments)])
    written = capsys.readouterr()
    return code, written.out + written.err


def test_the_command_says_what_it_did_and_names_nobody(
    provider: Provider, expected: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = tmp_path / "revoked.txt"
    ids.write_text("﻿" + "\r\n".join(["", *PEOPLE, "  P-unknown ", PEOPLE[0]]), encoding="utf-8")
    options = ("--person-ids", ids, "--key", provider.key_file, "--store", provider.store)
    code, words = command(capsys, *options, "--reason", REASON)
    assert (code, words.splitlines()) == (
        0,
        [
            "3 of 4 people were in the store; now nothing of them is.",
            "States written anew without them: 2. Removed whole: 0.",
            f"What serves now: snapshot {expected[1]}.",
            "4 on the list beside the key are left out of every later import.",
            "Delete revoked.txt now, and remember your backups: they still hold these people.",
        ],
    )
    log = log_of(provider.store)
    (line,) = log.read_text().splitlines()
    assert {"action": "forget", "reason": REASON, "people": 4, "found": 3}.items() <= json.loads(line).items()
    assert verify(log) == []
    listed = provider.key_file.with_name(provider.key_file.name + ".forgotten")
    assert stat.S_IMODE(listed.stat().st_mode) == 0o600
    for text in (words, line, listed.read_text()):
        assert not any(person in text for person in [*PEOPLE, "P-unknown"])
    assert command(capsys, *options, "--undo") == (
        0,
        "4 of 4 stood on the list and may come back with the next import.\n",
    )


def test_wrong_usage_gets_a_sentence(provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids, empty, other = tmp_path / "ids.txt", tmp_path / "empty.txt", Provider(tmp_path / "other")
    ids.write_text(PEOPLE[0])
    empty.write_text("\n \n")
    given = ("--key", provider.key_file, "--store", provider.store)
    before = provider.open().snapshot_id
    for arguments, words in (
        ((*given, "--person-ids", ids), "Say why with --reason"),
        ((*given, "--person-ids", ids, "--reason", f"{PEOPLE[0]} asked"), "without ids"),
        ((*given, "--person-ids", empty, "--reason", REASON), "names nobody"),
        ((*given, "--person-ids", tmp_path / "none.txt", "--reason", REASON), "cannot be read"),
        ((*given, "--undo"), "--person-ids FILE"),
        (
            ("--key", other.key_file, "--store", provider.store, "--person-ids", ids, "--reason", REASON),
            "The key is not the one of these data",
        ),
    ):
        code, said = command(capsys, *arguments)
        assert (code, words in said, PEOPLE[0] in said) == (2, True, False), said
    assert provider.open().snapshot_id == before and read_forgotten(provider.key) == set()


def test_a_damaged_list_stops_imports_instead_of_bringing_people_back(provider: Provider) -> None:
    forget(provider.store, provider.key, PEOPLE, REASON)
    listed = provider.key_file.with_name(provider.key_file.name + ".forgotten")
    for damage in ("", "iop-forgotten 2\n", listed.read_text()[:-5]):
        listed.write_text(damage)
        with pytest.raises(UsageProblem, match=r"pseudonyms\.key\.forgotten beside the key is damaged"):
            provider.load(LATER)


# What cannot be placed on the calendar any more


def test_without_the_anchors_the_sentence_says_the_way(provider: Provider, expected: list[str]) -> None:
    path = provider.key.anchors_path
    assert path is not None
    path.unlink()
    before = provider.open().snapshot_id
    with pytest.raises(StoreProblem, match="Run a full import, which leaves these people out already, then this"):
        forget(provider.store, provider.key, PEOPLE, REASON)
    assert provider.open().snapshot_id == before and len(state_ids(provider.store)) == 2
    # As it says. The former states cannot be cleaned without the anchors, so they are gone.
    assert provider.load(LATER).snapshot_id == expected[1]
    done = forget(provider.store, provider.key, [], REASON)
    assert (done.rewritten, done.removed, done.snapshot_id) == (0, 2, expected[1])
    assert state_ids(provider.store) == [expected[1]]


def test_a_stay_of_late_needs_no_anchors(provider: Provider, tmp_path: Path) -> None:
    """Its observed days say when it began, up to 455 days after its end."""
    path = provider.key.anchors_path
    assert path is not None
    path.unlink()
    recent = PEOPLE[2:]
    done = forget(provider.store, provider.key, recent, REASON)
    assert (done.rewritten, done.removed) == (2, 0)
    assert state_ids(provider.store) == sorted(oracle(provider, tmp_path / "oracle", recent, "limited"))


def test_a_former_state_that_cannot_be_cleaned_is_removed(tmp_path: Path) -> None:
    """Both days of a long ended stay were corrected: the anchors no longer say where its sessions were."""
    provider = Provider(tmp_path / "home")
    began = CUT - timedelta(900)

    def stay(first: date) -> Files:
        left = {"admit_date": first, "discharge_date": first + timedelta(30), "discharge_reason": "moved"}
        return {
            "episodes": [left, {"episode_id": "E2", "person_id": "P2"}],
            "attendance": [{"session_date": first + timedelta(1)}],
        }

    provider.load(stay(began))
    provider.load(stay(began + timedelta(64)))
    done = forget(provider.store, provider.key, ["P1"], REASON)
    assert (done.rewritten, done.removed) == (1, 1)
    assert state_ids(provider.store) == [current_id(provider.store)]
    assert provider.query("select count(*) from attendance_calendar") == [(0,)]


# Nothing half


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(
    "step",
    [
        *("rewritten", "removed", "pointer"),
        *(pytest.param(step, marks=pytest.mark.long) for step in ("listed", "batch", "manifest", "published")),
    ],
)
def test_a_killed_run_can_be_repeated(provider: Provider, expected: list[str], tmp_path: Path, step: str) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(PEOPLE))
    secrets = pseudonyms(provider, PEOPLE)
    killed = subprocess.run(
        [sys.executable, "-m", "analytics", "forget", "--person-ids", ids, "--reason", REASON,
         "--key", provider.key_file, "--store", provider.store],
        cwd=PROJECT_ROOT, env={**os.environ, "IOP_FAIL_AT": step}, capture_output=True, timeout=120,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL and killed.stdout == b""
    provider.open().close()
    looked = {finding.what: finding for finding in examine(provider.store, provider.key_file, 0)}
    assert not looked["forgotten"].ok and "Run it again" in looked["forgotten"].sentence
    done = forget(provider.store, provider.key, [], REASON)
    assert done.snapshot_id == current_id(provider.store) == expected[1]
    assert set(state_ids(provider.store)) <= set(expected)
    assert traces(provider, secrets) == [] and not (provider.store / UNFINISHED).exists()
    assert not [*provider.store.glob(".build-*"), *provider.home.rglob("*.new")]
    # Batches go on.
    assert provider.add({}).unchanged


def test_an_import_after_a_killed_run_leaves_them_out(provider: Provider, expected: list[str]) -> None:
    from analytics.intake.forgotten import write_forgotten

    write_forgotten(provider.key, {person_pseudonym(provider.key, person) for person in PEOPLE})
    assert provider.add({}).snapshot_id == expected[1]


def test_a_store_from_a_backup_is_cleaned_by_the_list(provider: Provider, expected: list[str], tmp_path: Path) -> None:
    shutil.copytree(provider.store, tmp_path / "backup")
    secrets = pseudonyms(provider, PEOPLE)
    forget(provider.store, provider.key, PEOPLE, REASON)
    shutil.rmtree(provider.store)
    shutil.copytree(tmp_path / "backup", provider.store)
    # The anchors are younger than the backup, and without these people.
    with pytest.raises(StoreProblem, match="Run a full import"):
        forget(provider.store, provider.key, [], REASON)
    provider.load(LATER)
    forget(provider.store, provider.key, [], REASON)
    assert current_id(provider.store) == expected[1] and traces(provider, secrets) == []


def test_when_nobody_is_left_nothing_is_shown(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "home")
    provider.load({"episodes": [{}], "scores": [{"assessed_on": CUT}]})
    session = Session(provider.store)
    session.view(local_viewer(), "explore")
    done = forget(provider.store, provider.key, ["P1"], REASON)
    assert (done.removed, done.snapshot_id) == (1, None)
    assert sorted(path.name for path in provider.store.iterdir()) == ["batches", "import.lock", "logs"]
    # A page that was open does not go on showing them.
    with pytest.raises(StoreProblem, match="There are no data yet"):
        session.view(local_viewer(), "explore")
    report = provider.load({"episodes": [{}]})
    assert (report.published, report.batch_rule) == (False, "NO_EPISODES")
    assert provider.load({"episodes": [{"person_id": "P2"}]}).published
