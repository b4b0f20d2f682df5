"""`python -m analytics doctor`: what it finds wrong, and that a sound installation is sound to it."""

import hashlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from analytics.doctor import Finding, examine, free_bytes, port_is_free
from analytics.settings import DATA_FOLDER, store_folder

CONTENT = b"a published snapshot"
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one published snapshot."""
    folder = tmp_path / "store"
    folder.mkdir(mode=0o755)
    (folder / "snapshot-7f.duckdb").write_bytes(CONTENT)
    manifest = {"file_bytes": len(CONTENT), "file_sha256": hashlib.sha256(CONTENT).hexdigest()}
    (folder / "snapshot-7f.json").write_text(json.dumps(manifest))
    (folder / "CURRENT").write_text("7f\n")
    (folder / "import.lock").touch()
    state = folder / "batches" / "7f"
    state.mkdir(parents=True)
    (state / "episode.parquet").write_bytes(CONTENT)
    rows = {"state_sha256": {"episode": hashlib.sha256(CONTENT).hexdigest()}}
    (state / "manifest.json").write_text(json.dumps(rows))
    return folder


def write_anchors(path: Path, snapshot_id: str) -> None:
    """Anchors of nobody: a first line that ends in the SHA-256 of what it says and what follows it."""
    checksum = hashlib.sha256(f"{snapshot_id} 9000\n".encode()).hexdigest()
    path.write_text(f"iop-anchors 1 {snapshot_id} 9000 {checksum}\n", newline="\n")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A private key of 32 bytes outside the store."""
    file = tmp_path / "iop.key"
    file.write_bytes(bytes(range(32)))
    file.chmod(0o600)
    return file


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


def wrong(findings: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.sentence for finding in findings if not finding.ok}


def test_a_sound_installation(store: Path, key: Path, port: int) -> None:
    findings = examine(store, key, port)
    assert wrong(findings) == {}
    looked_at = [finding.what for finding in findings]
    expected = [
        "python",
        "disk",
        "store",
        "key",
        "anchors",
        "snapshot",
        "batches",
        "log",
        "lock",
        "port",
    ]
    assert looked_at == expected
    assert all(finding.sentence.endswith(".") for finding in findings)


def test_a_key_is_only_needed_for_real_data(store: Path, port: int) -> None:
    assert wrong(examine(store, None, port)) == {}


def test_a_store_that_does_not_exist_yet(tmp_path: Path, port: int) -> None:
    found = wrong(examine(tmp_path / "a" / "b", None, port))
    assert found.keys() == {"snapshot"}
    assert "python run.py" in found["snapshot"]


def test_a_store_that_is_a_file(tmp_path: Path, port: int) -> None:
    (tmp_path / "store").touch()
    assert "is not a folder" in wrong(examine(tmp_path / "store", None, port))["store"]


@POSIX
def test_a_store_that_everybody_may_write(store: Path, port: int) -> None:
    store.chmod(0o777)
    assert "chmod o-w" in wrong(examine(store, None, port))["store"]


@POSIX
def test_a_store_that_may_not_be_written(store: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: False)  # root may write everywhere
    assert "You may not read and write" in wrong(examine(store, None, port))["store"]


# Key and anchors


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_size(store: Path, key: Path, port: int, size: int) -> None:
    key.write_bytes(b"x" * size)
    assert f"has {size} bytes, not 32" in wrong(examine(store, key, port))["key"]


def test_a_missing_key(store: Path, key: Path, port: int) -> None:
    key.unlink()
    assert "There is no key file" in wrong(examine(store, key, port))["key"]


@POSIX
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o700])
def test_a_key_that_is_not_private(store: Path, key: Path, port: int, mode: int) -> None:
    key.chmod(mode)
    found = wrong(examine(store, key, port))
    assert f"(mode {mode:04o})" in found["key"]
    assert "chmod 600" in found["key"]


@pytest.mark.parametrize("folder", [".", "keys"])
def test_a_key_inside_the_store(store: Path, key: Path, port: int, folder: str) -> None:
    (store / folder).mkdir(exist_ok=True)
    inside = Path(shutil.move(key, store / folder / "iop.key"))
    assert "inside the store" in wrong(examine(store, inside, port))["key"]


def test_a_link_outside_to_a_key_inside_the_store(store: Path, key: Path, port: int) -> None:
    inside = Path(shutil.move(key, store / "iop.key"))
    key.symlink_to(inside)
    assert "inside the store" in wrong(examine(store, key, port))["key"]


@POSIX
@pytest.mark.parametrize(("mode", "found"), [(0o600, set()), (0o644, {"anchors"})])
def test_anchors_are_as_private_as_the_key(store: Path, key: Path, port: int, mode: int, found: set[str]) -> None:
    anchors = key.with_name("iop.key.anchors")
    write_anchors(anchors, "7f")
    anchors.chmod(mode)
    assert wrong(examine(store, key, port)).keys() == found


@POSIX
@pytest.mark.parametrize(("mode", "found"), [(0o600, set()), (0o640, {"forgotten"})])
def test_the_list_of_people_left_out_is_as_private(
    store: Path, key: Path, port: int, mode: int, found: set[str]
) -> None:
    listed = key.with_name("iop.key.forgotten")
    listed.write_text("iop-forgotten 1\n")
    listed.chmod(mode)
    findings = examine(store, key, port)
    assert wrong(findings).keys() == found and "forgotten" in {finding.what for finding in findings}


def test_an_interrupted_forget(store: Path, port: int) -> None:
    (store / "forget.unfinished").touch()
    assert "Run it again, with --key and --reason" in wrong(examine(store, None, port))["forgotten"]


# Snapshot


def test_a_snapshot_without_its_rows(store: Path, port: int) -> None:
    shutil.rmtree(store / "batches" / "7f")
    assert wrong(examine(store, None, port)).keys() == {"batches"}


@pytest.mark.parametrize("pointer", ["8a", "", "snapshot-7f.duckdb", "../store/7f", "/elsewhere/x.duckdb", "\x00\xff"])
def test_a_pointer_to_nothing_in_the_store(store: Path, port: int, pointer: str) -> None:
    (store / "CURRENT").write_text(pointer, encoding="latin-1")
    assert "which is not in" in wrong(examine(store, None, port))["snapshot"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (CONTENT[:-1], f"has {len(CONTENT) - 1} bytes, its manifest says {len(CONTENT)}"),
        (CONTENT[:-1] + b"T", "does not have the SHA-256"),  # one byte changed, same length
    ],
)
def test_a_damaged_snapshot(store: Path, port: int, content: bytes, sentence: str) -> None:
    (store / "snapshot-7f.duckdb").write_bytes(content)
    assert sentence in wrong(examine(store, None, port))["snapshot"]


def test_without_a_recorded_hash_the_size_decides(store: Path, port: int) -> None:
    (store / "snapshot-7f.json").write_text(json.dumps({"file_bytes": len(CONTENT)}))
    assert wrong(examine(store, None, port)) == {}


@pytest.mark.parametrize("manifest", ["", "{", "[]", "{}", '{"file_bytes": null}', '{"file_bytes": "many"}'])
def test_a_damaged_manifest(store: Path, port: int, manifest: str) -> None:
    (store / "snapshot-7f.json").write_text(manifest)
    assert "missing or damaged" in wrong(examine(store, None, port))["snapshot"]


def test_a_write_ahead_log_beside_the_snapshot(store: Path, port: int) -> None:
    (store / "snapshot-7f.duckdb.wal").touch()
    assert wrong(examine(store, None, port)).keys() == {"log"}


# The machine


@POSIX
def test_a_running_import(store: Path, port: int) -> None:
    import fcntl

    with (store / "import.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "An import is running" in wrong(examine(store, None, port))["lock"]
    assert wrong(examine(store, None, port)) == {}  # the lock ends with its file


def test_asking_leaves_no_lock_behind(store: Path, port: int) -> None:
    assert wrong(examine(store, None, port)) == wrong(examine(store, None, port)) == {}


def test_a_taken_port(store: Path, taken_port: int) -> None:
    assert f"Port {taken_port} is taken" in wrong(examine(store, None, taken_port))["port"]
    assert not port_is_free(taken_port)


def test_a_small_disk(store: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=999_999_999))
    assert "free at least 1 GB" in wrong(examine(store, None, port))["disk"]


def test_an_old_python(store: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    assert "Python 3.10.13 is too old: install Python 3.11" in wrong(examine(store, None, port))["python"]


def test_what_cannot_be_looked_at_is_a_finding(store: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: Path) -> None:
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    assert f"Could not look at {store}: Permission denied" in wrong(examine(store, None, port))["disk"]


def test_free_bytes_of_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") > 0


# Which store


def test_the_option_wins_over_the_environment_over_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IOP_STORE", "from the environment")
    assert store_folder("typed") == tmp_path / "typed"
    assert store_folder() == store_folder("") == tmp_path / "from the environment"
    monkeypatch.setenv("IOP_STORE", "")
    assert store_folder() == DATA_FOLDER / "local"


def test_anchors_of_other_data(store: Path, key: Path, port: int) -> None:
    anchors = key.with_name(key.name + ".anchors")
    write_anchors(anchors, "0aff")
    anchors.chmod(0o600)
    assert "belongs to other data" in wrong(examine(store, key, port))["anchors"]
    # A process that died after publishing has left the right ones beside them.
    write_anchors(anchors.with_name(anchors.name + ".new"), "7f")
    assert wrong(examine(store, key, port)) == {}


@pytest.mark.parametrize(
    ("recorded", "says"),
    [
        ({"privacy_mode": "limited", "warnings": ["MODE_UNDOCUMENTED"]}, "import again with --agreement TEXT."),
        ({"privacy_mode": "expert", "warnings": ["MODE_UNDOCUMENTED"]}, "--certificate TEXT --expires DATE."),
        ({"privacy_mode": "expert", "paper": {"kind": "certificate", "expires": "2020-01-31"}}, "ended on 2020-01-31"),
        ({"privacy_mode": "expert", "paper": {"kind": "certificate", "expires": "2999-01-31"}}, None),
        ({"privacy_mode": "limited", "paper": {"kind": "agreement", "expires": None}}, None),
        ({"privacy_mode": "safe_harbor", "warnings": []}, None),
    ],
)
def test_papers(store: Path, port: int, recorded: dict[str, object], says: str | None) -> None:
    manifest = store / "snapshot-7f.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | recorded))
    found = wrong(examine(store, None, port))
    assert set(found) == ({"paper"} if says else set())
    assert says is None or says in found["paper"]
