"""Raw files for tests of the import: rows as dicts; what a test does not care about has a plain value.

`Provider` has a key, a store and an inbox below one folder. `made_up` writes a small provider from a seed.
"""

import csv
import random
import shutil
import uuid
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb

from analytics.intake.deidentify import Key, new_key, read_key
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.relative import PrivacyMode
from analytics.intake.report import ImportReport
from analytics.store.facts import Paper
from analytics.store.snapshot import Snapshot, open_current

Row = dict[str, object]
Files = dict[str, list[Row]]

CUT = date(2026, 6, 30)

# Every column that a file must have; a row may name further ones, and then all rows have them.
PLAIN: dict[str, Row] = {
    "episodes": {
        "episode_id": "E1",
        "person_id": "P1",
        "program_id": "NORTH",
        "admit_date": date(2026, 1, 5),
        "discharge_date": None,
        "discharge_reason": None,
        "modality": "in_person",
        "planned_weeks": 8,
        "level_of_care": "IOP",
        "primary_condition": "depression",
        "age_band": "26-34",
        "gender": "female",
        "referral_source": "self",
    },
    "attendance": {
        "episode_id": "E1",
        "session_date": None,
        "session_type": "group",
        "status": "attended",
        "minutes": 180,
        "delivery": "in_person",
    },
    "scores": {"episode_id": "E1", "instrument": "PHQ-9", "assessed_on": None, "total": 15},
    "score_items": {"episode_id": "E1", "instrument": "PHQ-9", "assessed_on": None, "item": 1, "value": 0},
    "substance_use": {"episode_id": "E1", "observed_on": None, "source": "urine", "result": "negative"},
    "readmissions": {
        "person_id": "P1",
        "admit_date": None,
        "discharge_date": None,
        "level_of_care": "inpatient",
        "planned": False,
    },
    "followups": {
        "episode_id": "E1",
        "due_day": 30,
        "attempted_on": None,
        "reached": True,
        "days_abstinent_past_30": None,
    },
    "capture": {"person_id": "P1", "source": "exchange", "from": None, "to": None},
    "referrals": {
        "referral_id": "R1",
        "person_id": "P1",
        "received_on": None,
        "source": "self",
        "decision": "admitted",
        "episode_id": None,
    },
    "satisfaction": {
        "program_id": "NORTH",
        "period": "2026-03",
        "respondent": "client",
        "instrument": "CSQ-8",
        "total": None,
        "recommend": None,
        "invited": None,
        "answered": None,
    },
    "finance": {"program_id": "NORTH", "period": "2026-03", "cost": None, "capacity_slots": None},
}


def write_files(folder: Path, files: Mapping[str, Iterable[Row]]) -> Path:
    """Write one canonical CSV file per table into a new folder; None is an empty field."""
    folder.mkdir(parents=True)
    for table, given in files.items():
        rows = [PLAIN[table] | row for row in given]
        columns = list(dict.fromkeys(name for row in [PLAIN[table], *rows] for name in row))
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(
                {name: "" if value is None else str(value).lower() if isinstance(value, bool) else value
                 for name, value in row.items()}
                for row in rows
            )  # fmt: skip
    return folder


class Provider:
    """A key, a store and an inbox below one folder, and imports into the store."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = home / "store"
        self.key_file = home / "pseudonyms.key"
        if not self.key_file.exists():
            home.mkdir(parents=True, exist_ok=True)
            new_key(self.key_file)

    def copy(self, home: Path) -> "Provider":
        """Return the same key, store and inbox in another place."""
        return Provider(shutil.copytree(self.home, home))

    @property
    def key(self) -> Key:
        return read_key(self.key_file, self.store)

    def write(self, files: Mapping[str, Iterable[Row]], name: str = "") -> Path:
        """Write a batch into the inbox and return its folder."""
        return write_files(self.home / "inbox" / (name or uuid.uuid4().hex), files)

    def load(
        self,
        files: Mapping[str, Iterable[Row]] | Path,
        *,
        cut: date = CUT,
        imported: date | None = None,
        mode: str = "full",
        privacy: PrivacyMode = "limited",
        key: Key | None = None,
        allow_shrink: bool = False,
        reason: str | None = None,
        paper: Paper | None = None,
    ) -> ImportReport:
        """Import a batch; the day of the import is the data cut unless it is given."""
        folder = files if isinstance(files, Path) else self.write(files)
        return run_import(
            ImportRequest(
                folder,
                self.store,
                privacy,
                key or self.key,
                data_cut=cut,
                import_date=imported or cut,
                batch_mode="incremental" if mode == "incremental" else "full",
                allow_shrink=allow_shrink,
                reason=reason,
                paper=paper,
            )
        )

    def add(self, files: Mapping[str, Iterable[Row]], *, cut: date = CUT, imported: date | None = None) -> ImportReport:
        """Import a batch that adds and corrects. A batch without episodes has an empty episodes.csv."""
        return self.load({"episodes": [], **files}, cut=cut, imported=imported, mode="incremental")

    def open(self) -> Snapshot:
        """Open what is published now."""
        return open_current(self.store)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Ask what is published now."""
        snapshot = self.open()
        try:
            return snapshot.query(sql)
        finally:
            snapshot.close()

    def state(self, table: str) -> list[Row]:
        """Return the rows of a table of the current state, which also has the pseudonyms of episodes."""
        folder = self.store / "batches" / self.open().snapshot_id
        with duckdb.connect() as connection:
            found = connection.execute("select * from read_parquet(?)", [str(folder / f"{table}.parquet")])
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def made_up(seed: int, episodes: int, cut: date = CUT) -> Files:
    """Return a small provider: two years of stays up to `cut`, some open, some of people who came back.

    No stay of a person begins within 20 days of the end of the one before, so that scores stay where they are.
    """
    chance = random.Random(seed)
    files: Files = {table: [] for table in PLAIN if table not in ("referrals", "satisfaction", "finance")}
    while len(files["episodes"]) < episodes:
        person = f"P{len(files['episodes']):05d}"
        admitted = cut - timedelta(chance.randrange(1, 730))
        first = admitted
        for _ in range(chance.choice((1, 1, 1, 2))):
            if admitted > cut or len(files["episodes"]) == episodes:
                break
            left = _stay(chance, files, person, admitted, cut)
            if left is None:
                break
            admitted = left + timedelta(chance.randrange(20, 120))
        hospital = admitted + timedelta(chance.randrange(60))
        if chance.random() < 0.2 and hospital <= cut:
            files["readmissions"].append(
                {"person_id": person, "admit_date": hospital,
                 "discharge_date": hospital + timedelta(chance.randrange(9))}
            )  # fmt: skip
        if chance.random() < 0.8:
            seen_from = first - timedelta(chance.randrange(60))
            files["capture"].append({"person_id": person, "from": seen_from, "to": cut})
    return files


def _stay(chance: random.Random, files: Files, person: str, admitted: date, cut: date) -> date | None:
    """Add one stay with all that belongs to it; return the day of discharge, None when it is still open."""
    episode = f"E{len(files['episodes']):05d}"
    planned = chance.choice((6, 8, 12))
    left: date | None = admitted + timedelta(chance.randrange(3, 7 * planned + 1))
    reason = chance.choice(("completed", "completed", "lost_contact", "transferred_higher", "moved"))
    if left is None or left > cut:
        left, reason = None, ""
    files["episodes"].append(
        {
            "episode_id": episode,
            "person_id": person,
            "program_id": chance.choice(("NORTH", "SOUTH", "WEST")),
            "admit_date": admitted,
            "discharge_date": left,
            "discharge_reason": reason,
            "modality": chance.choice(("in_person", "hybrid", "telehealth")),
            "planned_weeks": planned,
            "referral_date": admitted - timedelta(chance.randrange(30)),
        }
    )
    until = left or cut
    for step in range(0, (until - admitted).days + 1, 2):
        status = chance.choice(("attended", "attended", "attended", "no_show"))
        files["attendance"].append(
            {"episode_id": episode, "session_date": admitted + timedelta(step), "status": status,
             "minutes": 180 if status == "attended" else 0}
        )  # fmt: skip
        if step % 14 == 0:
            scored = {"episode_id": episode, "assessed_on": admitted + timedelta(step)}
            files["scores"].append({**scored, "total": chance.randrange(28)})
            files["scores"].append({**scored, "instrument": "GAD-7", "total": chance.randrange(22)})
            if step % 28 == 0:
                form = {**scored, "instrument": "AUDIT-C"}
                answers = [{**form, "item": item, "value": (step // 28 + item) % 5} for item in (1, 2, 3)]
                files["score_items"] += answers
            result = chance.choice(("negative", "positive"))
            files["substance_use"].append(
                {"episode_id": episode, "observed_on": scored["assessed_on"], "result": result}
            )
    for due_day in (30, 90):
        called = until + timedelta(due_day + chance.randrange(10))
        if left is not None and called <= cut:
            reached = chance.random() < 0.5
            files["followups"].append(
                {"episode_id": episode, "due_day": due_day, "attempted_on": called, "reached": reached,
                 "days_abstinent_past_30": chance.randrange(31) if reached else None}
            )  # fmt: skip
    return left


def asked_and_said(seed: int, files: Files, cut: date = CUT) -> Files:
    """Return referrals, satisfaction and finance that go with a small provider; half of the referrals name the stay."""
    chance = random.Random(seed)
    referrals: list[Row] = []
    for row in files["episodes"]:
        admitted = row["admit_date"]
        if isinstance(admitted, date) and chance.random() < 0.8:
            named = row["episode_id"] if chance.random() < 0.5 else None
            received = admitted - timedelta(chance.randrange(90))
            referrals.append({"person_id": row["person_id"], "received_on": received, "episode_id": named})
    for number in range(len(files["episodes"]) // 3):
        first = cut - timedelta(chance.randrange(20, 700))
        for later in chance.choice(((0,), (0,), (0, 15))):
            never = {"person_id": f"Q{number:05d}", "decision": chance.choice(("declined", "pending"))}
            referrals.append({**never, "received_on": first + timedelta(later)})
    referrals = [{"referral_id": f"R{number:05d}", **row} for number, row in enumerate(referrals)]
    satisfaction: list[Row] = []
    finance: list[Row] = []
    for program in sorted({str(row["program_id"]) for row in files["episodes"]}):
        for month in range(1, 4):
            here: Row = {"program_id": program, "period": f"{cut.year}-{month:02}"}
            answered = chance.randrange(1, 4)
            satisfaction.append({**here, "invited": answered + chance.randrange(4), "answered": answered})
            satisfaction += [{**here, "total": 24 + chance.randrange(9), "recommend": 4} for _ in range(answered)]
            finance.append({**here, "cost": chance.randrange(20_000, 30_000), "capacity_slots": 300})
    return {"referrals": referrals, "satisfaction": satisfaction, "finance": finance}
