"""Damaged files: never shown, never built upon, found by doctor, and mended by what the sentence says.

Requirement SEC-55 of ../shared/privacy.md; damage to a snapshot alone is in test_store_publish.py.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from analytics.doctor import examine
from analytics.errors import IopError, StoreProblem
from analytics.measures.types import Cohort
from analytics.session import Session, local_viewer
from analytics.store.snapshot import current_id, manifest_path, snapshot_path
from tests.spec.raw_files import Provider, made_up


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """Two versions published one after the other; tests take a copy."""
    provider = Provider(tmp_path_factory.mktemp("damage") / "home")
    provider.load(made_up(1, 20))
    provider.load(provider.write(made_up(2, 25), "second"))
    return provider


@pytest.fixture
def copied(twice: Provider, tmp_path: Path) -> Provider:
    return twice.copy(tmp_path / "copy")


def answers(session: Session) -> tuple[str, int, str]:
    view = session.view(local_viewer(), "explore")
    return view.provenance.snapshot_id, view.result(view.measure("completion"), Cohort()).content.episodes, view.notice


def flipped(chance: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(chance: random.Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content))]


def emptied(chance: random.Random, content: bytes) -> bytes:
    return b""


def damages(flips: int, cuts: int, seed: int = 1) -> list[Callable[[bytes], bytes]]:
    chance = random.Random(seed)
    return [lambda content, how=how: how(chance, content) for how in [flipped] * flips + [cut] * cuts]  # type: ignore[misc]


# The snapshot


@pytest.mark.parametrize(("flips", "cuts"), [(5, 2), pytest.param(50, 20, marks=pytest.mark.long)])
def test_a_server_that_starts_shows_the_data_before_a_damaged_snapshot_with_a_notice(
    copied: Provider, flips: int, cuts: int
) -> None:
    newest = str(current_id(copied.store))
    path = snapshot_path(copied.store, newest)
    good = path.read_bytes()
    first = copied.open().facts.previous
    assert first != newest and answers(Session(copied.store)) == (newest, 25, "")
    for damage in damages(flips, cuts):
        path.write_bytes(damage(good))
        snapshot_id, episodes, notice = answers(Session(copied.store))
        assert (snapshot_id, episodes) == (first, 20)
        assert notice.startswith("These are the data before the last import. The snapshot file snapshot-")
    path.write_bytes(good)
    assert answers(Session(copied.store)) == (newest, 25, "")


@pytest.mark.parametrize("damage", [flipped, cut, emptied])
def test_a_server_that_starts_shows_the_data_before_a_damaged_manifest(
    copied: Provider, damage: Callable[[random.Random, bytes], bytes]
) -> None:
    path = manifest_path(copied.store, str(current_id(copied.store)))
    good = path.read_bytes()
    for seed in range(5):
        path.write_bytes(damage(random.Random(seed), good))
        try:
            _, episodes, notice = answers(Session(copied.store))
        except IopError:
            pytest.fail("nothing is shown")
        # A bit in a sentence or a count of the manifest does not hide what the file itself says.
        assert (episodes == 20 and notice) or episodes == 25


def test_what_was_built_but_never_served_is_not_shown_instead(copied: Provider, tmp_path: Path) -> None:
    """A process that died before the pointer leaves a whole snapshot; nobody was told that it is published."""
    other = Provider(tmp_path / "other")
    other.key_file.write_bytes(copied.key_file.read_bytes())
    never = str(other.load(made_up(3, 30)).snapshot_id)
    for path in other.store.glob(f"snapshot-{never}.*"):
        path.rename(copied.store / path.name)
    newest = snapshot_path(copied.store, str(current_id(copied.store)))
    newest.write_bytes(newest.read_bytes()[:-1])
    assert answers(Session(copied.store))[1] == 20


def test_without_anything_whole_nothing_is_shown(copied: Provider) -> None:
    for path in copied.store.glob("snapshot-*.duckdb"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreProblem, match="its checksum differs"):
        answers(Session(copied.store))


# What an incremental batch is built upon


PLACES = {
    "state": lambda provider: provider.store / "batches" / str(current_id(provider.store)) / "score.parquet",
    "anchors": lambda provider: provider.home / "pseudonyms.key.anchors",
    "manifest": lambda provider: manifest_path(provider.store, str(current_id(provider.store))),
    "pointer": lambda provider: provider.store / "CURRENT",
}


# Every place and every damage by default, all pairs with --long.
BY_DEFAULT = {("state", flipped), ("anchors", cut), ("manifest", emptied), ("pointer", flipped)}


@pytest.mark.parametrize(
    ("place", "damage"),
    [
        pytest.param(place, damage, marks=() if (place, damage) in BY_DEFAULT else pytest.mark.long)
        for place in PLACES
        for damage in (flipped, cut, emptied)
    ],
)
def test_nothing_is_added_to_what_is_damaged_and_a_full_import_mends_it(
    copied: Provider, place: str, damage: Callable[[random.Random, bytes], bytes]
) -> None:
    path = PLACES[place](copied)
    before = str(current_id(copied.store))
    good = path.read_bytes()
    path.write_bytes(damage(random.Random(4), good))
    assert path.read_bytes() != good
    more = {"episodes": [{"episode_id": "E-new", "person_id": "P-new"}]}
    try:
        report = copied.add(more)
    except StoreProblem as problem:
        said = str(problem)
    else:
        assert not report.published
        said = report.as_text()
    assert "full import" in said or "Run the import again" in said, said
    # A full import of what served writes all of it again, and then a batch can be added.
    assert copied.load(copied.home / "inbox" / "second").snapshot_id == before
    assert all(finding.ok for finding in looked_at(copied) if finding.what in FOUND_BY_DOCTOR)
    assert copied.add(more).published
    assert copied.query("select count(*) from episode") == [(26,)]


# Doctor

FOUND_BY_DOCTOR = {"snapshot", "batches", "anchors"}


def looked_at(provider: Provider) -> list[object]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return examine(provider.store, provider.key_file, port)


@pytest.mark.parametrize("damage", [flipped, cut, emptied])
@pytest.mark.parametrize("place", [*PLACES, "snapshot"])
def test_doctor_finds_the_damage(copied: Provider, place: str, damage: Callable[[random.Random, bytes], bytes]) -> None:
    assert all(finding.ok for finding in looked_at(copied) if finding.what in FOUND_BY_DOCTOR)
    newest = snapshot_path(copied.store, str(current_id(copied.store)))
    path = newest if place == "snapshot" else PLACES[place](copied)
    path.write_bytes(damage(random.Random(4), path.read_bytes()))
    found = [finding for finding in looked_at(copied) if not finding.ok]
    assert {finding.what for finding in found} & FOUND_BY_DOCTOR, place
