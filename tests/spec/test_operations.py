"""What docs/operations.md promises: a store that was copied goes on elsewhere, and what is lost is said and mended."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from raw_files import CUT, Provider, made_up

from analytics.doctor import examine
from analytics.intake.deidentify import new_key, read_key

LATER = CUT + timedelta(31)
NEW_STAY = {"episodes": [{"episode_id": "E-NEW", "person_id": "P00000", "admit_date": date(2026, 7, 6)}]}


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    provider = Provider(tmp_path / "first")
    assert provider.load(made_up(6, 12)).published
    return provider


def wrong(provider: Provider) -> set[str]:
    looked_at = {"key", "anchors", "snapshot", "log", "store"}
    found = examine(provider.store, provider.key_file, 1)
    return {finding.what for finding in found if not finding.ok and finding.what in looked_at}


def test_a_copied_store_with_key_and_anchors_goes_on_on_another_computer(provider: Provider, tmp_path: Path) -> None:
    other = provider.copy(tmp_path / "second")
    assert other.open().snapshot_id == provider.open().snapshot_id
    assert wrong(other) == set()
    assert other.load(NEW_STAY, cut=LATER, mode="incremental").snapshot_id == (
        provider.load(NEW_STAY, cut=LATER, mode="incremental").snapshot_id
    )


def test_a_store_without_the_key_can_be_looked_at(provider: Provider, tmp_path: Path) -> None:
    shutil.copytree(provider.store, tmp_path / "shown")
    provider.home.rename(tmp_path / "away")
    assert {finding.what for finding in examine(tmp_path / "shown", None, 1) if not finding.ok} <= {"paper", "port"}


def test_lost_anchors_are_written_again_by_a_full_import(provider: Provider) -> None:
    anchors = provider.key.anchors_path
    assert anchors is not None
    anchors.unlink()
    assert provider.load(NEW_STAY, cut=LATER, mode="incremental").batch_rule == "ANCHORS_MISSING"
    provider.load(made_up(6, 12))
    assert provider.load(NEW_STAY, cut=LATER, mode="incremental").published


def test_anchors_of_another_computer_are_found_by_the_doctor(provider: Provider, tmp_path: Path) -> None:
    other = provider.copy(tmp_path / "second")
    assert other.load(NEW_STAY, cut=LATER, mode="incremental").published
    anchors, others = provider.key.anchors_path, other.key.anchors_path
    assert anchors is not None
    assert others is not None
    shutil.copy(others, anchors)
    assert wrong(provider) == {"anchors"}


def test_a_lost_key_means_a_new_store(provider: Provider, tmp_path: Path) -> None:
    path = provider.home / "second.key"
    new_key(path)
    assert provider.load(made_up(6, 12), key=read_key(path, provider.store)).batch_rule == "KEY_CHANGED"
    provider.store = tmp_path / "new-store"
    assert provider.load(made_up(6, 12), key=read_key(path, provider.store)).published
