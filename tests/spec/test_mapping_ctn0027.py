"""The mapping of the trial CTN-0027, against a plain reading of its raw files without SQL."""

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest

from analytics.intake.mapping import MappedTables, load_mapping, run_selects
from analytics.settings import DATA_FOLDER


def rows_of(connection: duckdb.DuckDBPyConnection, table: str, *columns: str) -> list[tuple[object, ...]]:
    names = ", ".join(f'"{column}"' for column in columns)
    return connection.execute(f'select record, {names} from "mapped_{table}" order by record').fetchall()


OPIOIDS = {"Heroin", "Opioid", "Methadone", "Buprenorphine"}


class PlainTrial:
    """What the rules of ctn0027.toml say, without SQL."""

    def __init__(self, folder: Path) -> None:
        def read(name: str) -> list[dict[str, str]]:
            with gzip.open(folder / name, "rt") if name.endswith(".gz") else (folder / name).open() as file:
                return list(csv.DictReader(file))

        self.people = [row["who"] for row in read("everybody.csv")]
        arms = {row["who"]: (row["treatment"], int(row["when"])) for row in read("randomization.csv")}
        self.arm = {who: arm for who, (arm, _) in arms.items()}
        self.day_0 = {who: day for who, (_, day) in arms.items()}
        self.visits = [row for row in read("visit.csv") if row["who"] in arms]
        self.positives = [row for row in read("uds.csv") if row["who"] in arms]
        self.reports = [row for row in read("tlfb.csv.gz") if row["who"] in arms]
        self.week: dict[str, dict[int, int | None]] = defaultdict(dict)
        for row in self.visits:
            if row["visit"] != "BASELINE":
                self.week[row["who"]][int(row["visit"][2:])] = int(row["when"]) if row["when"] else None

    def kept(self, who: str, weeks: range) -> list[int]:
        days = (self.week[who].get(week) for week in weeks)
        return [day for day in days if day is not None]

    def episodes(self) -> list[tuple[object, ...]]:
        rows = []
        for who in sorted(self.day_0, key=int):
            completed = bool(self.kept(who, range(21, 24)))
            therapy = {"Methadone": "methadone", "Outpatient BUP": "buprenorphine"}[self.arm[who]]
            reason = "completed" if completed else "lost_contact"
            last, day_0 = max(self.kept(who, range(24))), self.day_0[who]
            rows.append((who, str(day_0), str(last), reason, str(day_0 + 224), therapy))
        return rows

    def sessions(self) -> list[tuple[object, ...]]:
        rows = []
        for who in sorted(self.day_0, key=int):
            last = max(self.kept(who, range(24)))
            for week in sorted(self.week[who]):
                kept, due = self.week[who][week], self.day_0[who] + 7 * week
                if week <= 23 and kept is not None and kept >= self.day_0[who]:
                    rows.append((who, str(kept), str(week), "attended"))
                elif week <= 23 and kept is None and due <= last:
                    rows.append((who, str(due), str(week), "no_show"))
        return rows

    def tests(self) -> set[tuple[object, ...]]:
        end = {who: day + 224 for who, day in self.day_0.items()}
        rows: set[tuple[object, ...]] = set()
        positive_days = set()
        for row in self.positives:
            positive_days.add((row["who"], row["when"]))
            if int(row["when"]) <= end[row["who"]]:
                rows.add((row["who"], row["when"], "urine", row["what"].lower(), "positive", None))
        for row in self.visits:
            day = (row["who"], row["when"])
            if row["when"] and day not in positive_days and int(row["when"]) <= end[row["who"]]:
                rows.add((*day, "urine", "any", "negative", None))
        used = defaultdict(set)
        for row in self.reports:
            opioid_before = row["what"] in OPIOIDS and -30 <= int(row["when"]) - self.day_0[row["who"]] <= -1
            used[row["who"]] |= {row["when"]} if opioid_before else set()
        for who, days in used.items():
            rows.add((who, str(self.day_0[who]), "self_report", "opioid", None, str(len(days))))
        return rows


@pytest.fixture(scope="module")
def trial_folder(shared: Path) -> Path:
    return shared / "real" / "ctn0027"


@pytest.fixture(scope="module")
def plain(trial_folder: Path) -> PlainTrial:
    return PlainTrial(trial_folder)


@pytest.fixture(scope="module")
def trial(trial_folder: Path) -> tuple[MappedTables, duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    mapping = load_mapping(DATA_FOLDER / "mappings" / "ctn0027.toml")
    return run_selects(connection, mapping, trial_folder), connection


Trial = tuple[MappedTables, duckdb.DuckDBPyConnection]


def test_ctn0027_episodes_are_those_of_the_plain_reading(trial: Trial, plain: PlainTrial) -> None:
    columns = ("episode_id", "admit_day", "discharge_day", "discharge_reason", "observed_until_day", "therapy")
    rows = rows_of(trial[1], "episodes", *columns)
    assert [row[1:] for row in rows] == plain.episodes()
    assert [row[0] for row in rows] == list(range(1, 1270))


def test_ctn0027_sessions_are_those_of_the_plain_reading(trial: Trial, plain: PlainTrial) -> None:
    rows = rows_of(trial[1], "attendance", "episode_id", "session_day", "session_no", "status")
    assert [row[1:] for row in rows] == plain.sessions()


def test_ctn0027_tests_are_those_of_the_plain_reading(trial: Trial, plain: PlainTrial) -> None:
    columns = ("episode_id", "observed_day", "source", "substance", "result", "days_used_past_30")
    rows = [row[1:] for row in rows_of(trial[1], "substance_use", *columns)]
    assert len(rows) == len(set(rows))
    assert set(rows) == plain.tests()


def test_ctn0027_treatment_completed_by_arm(trial: Trial, plain: PlainTrial) -> None:
    rows = trial[1].execute(
        "select therapy, count(*) filter (discharge_reason = 'completed'), count(*) from mapped_episodes "
        "group by therapy order by therapy"
    )
    assert rows.fetchall() == [("buprenorphine", 339, 740), ("methadone", 390, 529)]
    # By hand from visit.csv: people with a kept visit of week 21, 22 or 23.
    completed = {row["who"] for row in plain.visits if row["visit"] in ("WK21", "WK22", "WK23") and row["when"]}
    by_arm = [sum(plain.arm[who] == arm for who in completed) for arm in ("Outpatient BUP", "Methadone")]
    assert by_arm == [339, 390]


def test_ctn0027_every_row_of_a_driving_file_is_used_or_left_out(trial: Trial) -> None:
    counts = {(account.table, account.source): account for account in trial[0].accounts}
    everybody = counts["episodes", "everybody.csv"]
    assert (everybody.read, everybody.used) == (1920, 1269)
    assert everybody.left_out == {"people screened and not randomised": 651}
    visit = counts["attendance", "visit.csv"]
    assert (visit.read, visit.used) == (27029, 21137)
    assert list(visit.left_out.values()) == [716, 1269, 2407, 5, 1495]
    uds = counts["substance_use", "uds.csv"]
    assert (uds.read, uds.used, list(uds.left_out.values())) == (26556, 26186, [91, 279])
    visited = counts["substance_use", "visit.csv"]
    assert (visited.used, list(visited.left_out.values())) == (8620, [716, 3187, 165, 14339, 2])
    for account in counts.values():
        assert account.used + sum(account.left_out.values()) == account.read


def test_ctn0027_two_visits_of_one_day_stay_two_sessions(trial: Trial) -> None:
    keys = "count(distinct (episode_id, session_day, session_no)), count(distinct (episode_id, session_day))"
    assert trial[1].execute(f"select count(*), {keys} from mapped_attendance").fetchone() == (21137, 21137, 21055)


def test_ctn0027_what_the_trial_does_not_say_is_unknown(trial: Trial) -> None:
    assert trial[0].tables["episodes"].unknown == {"modality", "level_of_care", "referral_source"}
    assert trial[0].tables["attendance"].unknown == {"minutes", "delivery"}
    people = trial[1].execute(
        "select count(*) filter (age_band is null), count(*) filter (gender = 'male'), count(distinct site) "
        "from mapped_episodes"
    )
    assert people.fetchone() == (0, 861, 16)
