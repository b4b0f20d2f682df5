"""Twelve monthly exports, imported whole or as what changed: the same content each month, and that of the truth."""

from datetime import date
from pathlib import Path

import pytest

from analytics.intake.forget import forget
from analytics.intake.report import ImportReport
from analytics.store.facts import SnapshotFacts
from tests.spec.raw_files import Files, Provider
from tests.spec.year_of_a_clinic import MONTH_ENDS, Clinic, Export

COUNTED = ("episode", "attendance", "score", "substance_use", "followup", "acute_event")


def nothing_lost(report: ImportReport, files: Files) -> None:
    assert report.published, report.as_text()
    for table, rows in files.items():
        file = report.files[f"{table}.csv"]
        assert file.records_read == len(rows) == file.accepted + file.rejected_count, table
        assert len(file.accepted_rows) == file.accepted and len(file.rejected) == file.rejected_count


def rules(report: ImportReport) -> set[str]:
    return {item.rule for file in report.files.values() for item in (*file.rejected, *file.warnings)}


@pytest.mark.parametrize(
    ("cuts", "revoked_at"),
    [
        pytest.param(MONTH_ENDS[1::3], MONTH_ENDS[7], id="four"),
        pytest.param(MONTH_ENDS, MONTH_ENDS[7], id="twelve", marks=pytest.mark.long),
    ],
)
def test_whole_or_in_parts_a_year_ends_in_the_same_content(
    tmp_path: Path, cuts: tuple[date, ...], revoked_at: date
) -> None:
    clinic = Clinic(seed=3, episodes=40)
    # Somebody who came back, and is taken out in the course of the year.
    people = [row["person_id"] for row in clinic.truth["episodes"]]
    revoked = str(next(person for person in people if people.count(person) == 2))
    whole, parts = Provider(tmp_path / "whole"), Provider(tmp_path / "parts")
    parts.key_file.write_bytes(whole.key_file.read_bytes())
    before: SnapshotFacts | None = None
    met: set[str] = set()
    for export in clinic.exports(cuts):
        report = imported(whole, parts, export)
        met |= rules(report)
        facts, other = whole.open().facts, parts.open().facts
        assert other.table_hashes == facts.table_hashes, export.cut
        assert other.snapshot_id == facts.snapshot_id
        for table in COUNTED if before else ():
            assert facts.counts[table] >= before.counts[table], (export.cut, table)
        before = facts
        if export.cut == revoked_at:
            for provider in (whole, parts):
                done = forget(provider.store, provider.key, [revoked], "consent revoked")
                assert (done.found, done.removed) == (1, 0)
            before = whole.open().facts
            assert parts.open().snapshot_id == before.snapshot_id
    # Everything that is said of the year happened.
    assert {"AFTER_DATA_CUT", "DISCHARGE_AFTER_CUT", "DATE_OUTSIDE_EPISODE", "FORGOTTEN_PERSON"} <= met
    truth = Provider(tmp_path / "truth")
    truth.key_file.write_bytes(whole.key_file.read_bytes())
    stays = {row["episode_id"] for row in clinic.truth["episodes"] if row["person_id"] == revoked}
    final = {
        table: [row for row in rows if row.get("person_id") != revoked and row.get("episode_id") not in stays]
        for table, rows in export.everything.items()
    }
    assert truth.load(final, cut=export.cut, imported=export.day).snapshot_id == whole.open().snapshot_id


def imported(whole: Provider, parts: Provider, export: Export) -> ImportReport:
    """Import a month both ways; nothing is lost in either."""
    report = whole.load(export.everything, cut=export.cut, imported=export.day)
    nothing_lost(report, export.everything)
    part = parts.load(export.changed, cut=export.cut, imported=export.day, mode="incremental")
    nothing_lost(part, export.changed)
    return report
