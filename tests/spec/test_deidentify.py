"""Pseudonyms, the key, relative days and calendar labels: what may be known of a person from the store, and what not.

Oracles: `hmac` of the standard library, and the dates of the raw files themselves. Requirements SEC-5 to SEC-7 of
../shared/privacy.md.
"""

import base64
import hashlib
import hmac
import random
import stat
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.errors import UsageProblem
from analytics.intake.deidentify import Key, Pseudonyms, new_key, read_key
from analytics.intake.relative import PrivacyMode
from tests.spec.raw_files import CUT, Files, Provider, Row, made_up

MODES: tuple[PrivacyMode, ...] = ("limited", "synthetic", "expert", "safe_harbor")


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


def pseudonym(key: Key, kind: str, source_id: object) -> str:
    """The oracle: 32 hex digits of HMAC-SHA256 over the kind, a unit separator and the id."""
    return hmac.new(key.secret, f"{kind}\x1f{source_id}".encode(), hashlib.sha256).hexdigest()[:32]


# Pseudonyms and the key


@pytest.mark.parametrize("secret", [bytes(32), bytes(range(32)), b"\xff" * 32, b"\n'\";--%$" * 4])
def test_the_pseudonym_in_sql_is_the_hmac_of_the_standard_library(secret: bytes) -> None:
    key = Key(secret, None)
    ids = ["1", "000123", "123", "A-b_C", "x" * 64, "it's", "ü–漢", ""]
    with duckdb.connect() as connection:
        connection.execute("create table ids as select unnest($ids) as id", {"ids": ids})
        for kind in ("person", "episode"):
            sql = f"select id, {Pseudonyms.sql(kind, 'id')} from ids"  # type: ignore[arg-type]
            found = dict(connection.execute(sql, Pseudonyms(key).parameters).fetchall())
            assert found == {name: pseudonym(key, kind, name) for name in ids}


def test_persons_and_episodes_of_one_id_and_ids_with_leading_zeros_are_told_apart(provider: Provider) -> None:
    provider.load(
        {
            "episodes": [
                {"episode_id": "000123", "person_id": "000123"},
                {"episode_id": "123", "person_id": "123"},
            ]
        }
    )
    rows = provider.state("episode")
    assert {row["episode_key"] for row in rows} == {
        pseudonym(provider.key, "episode", name) for name in ("000123", "123")
    }
    assert {row["person_key"] for row in rows} == {
        pseudonym(provider.key, "person", name) for name in ("000123", "123")
    }
    assert len({key for row in rows for key in (row["episode_key"], row["person_key"])}) == 4


def test_the_same_key_gives_the_same_pseudonyms_and_another_key_is_refused(provider: Provider, tmp_path: Path) -> None:
    files: Files = {"episodes": [{}, {"episode_id": "E2", "person_id": "P2"}]}
    first = provider.load(files)
    before = provider.state("episode")
    files["episodes"].append({"episode_id": "E3", "person_id": "P3"})
    assert provider.load(files).published
    after = {row["episode_key"]: row["person_key"] for row in provider.state("episode")}
    assert {row["episode_key"]: row["person_key"] for row in before}.items() < after.items()
    new_key(tmp_path / "other.key")
    serving = provider.open().snapshot_id
    for mode in ("full", "incremental"):
        refused = provider.load(files, key=read_key(tmp_path / "other.key", provider.store), mode=mode)
        assert (refused.published, refused.batch_rule) == (False, "KEY_CHANGED")
        assert "Use the same key" in refused.as_text()
    assert provider.open().snapshot_id == serving != first.snapshot_id
    assert not (tmp_path / "other.key.anchors").exists()


def test_the_key_is_in_no_file_of_the_store_and_in_no_report(provider: Provider) -> None:
    report = provider.load(made_up(seed=5, episodes=30))
    secret = provider.key.secret
    pads = Pseudonyms(provider.key).parameters.values()
    forms = {secret, *pads}
    for raw in (secret, *pads):
        forms |= {raw.hex().encode(), raw.hex().upper().encode()}
        forms |= {base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")}
    files = [path for path in provider.store.rglob("*") if path.is_file()]
    assert len(files) > 10
    written = {path.name: path.read_bytes() for path in files}
    written |= {"report": (report.as_json() + report.as_text()).encode()}
    assert [name for name, content in written.items() for form in forms if form in content] == []
    # What is shown is the short name of the key, from which it does not follow.
    assert provider.open().facts.key_id == hashlib.sha256(secret).hexdigest()[:8]


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    (tmp_path / "short.key").write_bytes(b"k" * size)
    with pytest.raises(UsageProblem, match=rf"short\.key has {size} bytes; a key has exactly 32"):
        read_key(tmp_path / "short.key", tmp_path / "store")


def test_any_32_bytes_are_a_key(tmp_path: Path) -> None:
    for secret in (bytes(32), b"\n" * 32, b"\r\n" * 16, b"\xef\xbb\xbf" + b"a" * 29):
        (tmp_path / "k").write_bytes(secret)
        assert read_key(tmp_path / "k", tmp_path / "store").secret == secret


def test_a_missing_key_says_how_to_write_one_and_a_key_in_the_store_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with pytest.raises(UsageProblem, match=r"missing\.key cannot be read\. Write one with .*key new FILE"):
        read_key(tmp_path / "missing.key", store)
    with pytest.raises(UsageProblem, match="cannot be read"):
        read_key(tmp_path, store)  # a folder
    (store / "deep").mkdir(parents=True)
    new_key(store / "deep" / "a.key")
    beside = tmp_path / "link.key"
    beside.symlink_to(store / "deep" / "a.key")
    for path in (store / "deep" / "a.key", beside, tmp_path / "elsewhere" / ".." / "store" / "deep" / "a.key"):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        with pytest.raises(UsageProblem, match="The key file lies inside the store"):
            read_key(path, store)


def test_a_new_key_is_random_for_its_owner_only_and_never_overwrites(tmp_path: Path) -> None:
    new_key(tmp_path / "one.key")
    new_key(tmp_path / "two.key")
    secret = (tmp_path / "one.key").read_bytes()
    assert len(secret) == 32 and secret != (tmp_path / "two.key").read_bytes()
    assert stat.S_IMODE((tmp_path / "one.key").stat().st_mode) == 0o600
    with pytest.raises(UsageProblem, match=r"one\.key exists already"):
        new_key(tmp_path / "one.key")
    assert (tmp_path / "one.key").read_bytes() == secret
    with pytest.raises(UsageProblem, match="cannot be written"):
        new_key(tmp_path / "no folder" / "a.key")


def test_what_lies_beside_the_key_is_for_its_owner_only(provider: Provider) -> None:
    provider.load({"episodes": [{}]})
    provider.load({"episodes": [{"planned_weeks": 9}]})
    for path in (provider.key.anchors_path, provider.key.receipt_path):
        assert path is not None and path.parent == provider.key_file.parent
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert not list(provider.home.glob("*.new"))


def test_a_build_in_progress_is_for_its_owner_only(tmp_path: Path) -> None:
    from analytics.store.publish import new_build_folder

    folder = new_build_folder(tmp_path)
    for path in (folder, folder / "rows"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path.name


# Days


def number_of(provider: Provider, kind: str) -> dict[str, int]:
    """Numbers of the state by pseudonym."""
    return {str(row[f"{kind}_key"]): int(str(row[f"{kind}_id"])) for row in provider.state("episode")}


def first_admissions(files: Files) -> dict[object, date]:
    found: dict[object, date] = {}
    for row in files["episodes"]:
        admitted = row["admit_date"]
        assert isinstance(admitted, date)
        found[row["person_id"]] = min(admitted, found.get(row["person_id"], admitted))
    return found


def days(later: object, earlier: object) -> int | None:
    if later is None or earlier is None:
        return None
    assert isinstance(later, date) and isinstance(earlier, date)
    return (later - earlier).days


def test_stored_days_are_the_differences_of_the_dates(provider: Provider) -> None:
    files = made_up(seed=11, episodes=1000)
    assert provider.load(files).published
    episode_number, person_number = number_of(provider, "episode"), number_of(provider, "person")
    first = first_admissions(files)

    def episode(row: Row) -> int:
        return episode_number[pseudonym(provider.key, "episode", row["episode_id"])]

    def person(row: Row) -> int:
        return person_number[pseudonym(provider.key, "person", row["person_id"])]

    admitted = {row["episode_id"]: row["admit_date"] for row in files["episodes"]}
    left = {row["episode_id"]: row["discharge_date"] for row in files["episodes"]}
    expected = {
        "select episode_id, person_id, start_day, los_days, wait_days from episode": [
            (episode(e), person(e), days(e["admit_date"], first[e["person_id"]]),
             days(e["discharge_date"], e["admit_date"]), days(e["admit_date"], e["referral_date"]))
            for e in files["episodes"]
        ],
        "select episode_id, day, status::varchar, minutes from attendance": [
            (episode(a), days(a["session_date"], admitted[a["episode_id"]]), a["status"], a["minutes"])
            for a in files["attendance"]
        ],
        "select episode_id, instrument, day, total from score where given_as = 'total'": [
            (episode(s), "gad7" if s.get("instrument") == "GAD-7" else "phq9",
             days(s["assessed_on"], admitted[s["episode_id"]]), s["total"])
            for s in files["scores"]
        ],
        "select episode_id, day, item::integer, value::integer from score_item": [
            (episode(i), days(i["assessed_on"], admitted[i["episode_id"]]), i["item"], i["value"])
            for i in files["score_items"]
        ],
        "select episode_id, day, result::varchar from substance_use": [
            (episode(u), days(u["observed_on"], admitted[u["episode_id"]]), u["result"])
            for u in files["substance_use"]
        ],
        "select episode_id, due_day, attempted_day, reached, days_abstinent_past_30 from followup": [
            (episode(f), f["due_day"], days(f["attempted_on"], left[f["episode_id"]]), f["reached"],
             f["days_abstinent_past_30"])
            for f in files["followups"]
        ],
        "select person_id, start_day, end_day from acute_event": [
            (person(r), days(r["admit_date"], first[r["person_id"]]),
             days(r["discharge_date"], first[r["person_id"]]))
            for r in files["readmissions"]
        ],
    }  # fmt: skip
    for sql, rows in expected.items():
        assert len(rows) > 100, sql
        assert sorted(map(repr, provider.query(sql))) == sorted(map(repr, map(stored, rows))), sql


def stored(row: tuple[object, ...]) -> tuple[object, ...]:
    """A total comes back as a floating-point number."""
    return tuple(float(value) if index == 3 and len(row) == 4 and row[1] in ("phq9", "gad7") else value
                 for index, value in enumerate(row))  # fmt: skip


def test_numbers_say_nothing_about_the_order_of_admission(provider: Provider) -> None:
    files = made_up(seed=3, episodes=200)
    provider.load(files)
    persons = number_of(provider, "person")
    assert [key for key, _ in sorted(persons.items(), key=lambda item: item[1])] == sorted(persons)


def test_observed_days_end_455_days_after_discharge_so_that_no_admission_follows_from_them(
    provider: Provider,
) -> None:
    # episode | admitted   | stay | cut − admission | observed
    # E1      | 2024-01-01 | 60   | 911             | 515 = 60 + 455: the window of every measure is over
    # E2      | 2025-01-01 | 90   | 545             | 545 = 90 + 455: the last day on which the two agree
    # E3      | 2025-01-02 | 90   | 544             | 544
    # E4      | 2024-01-01 | open | 911             | 911: an open stay has been observed all the time
    stays = [("E1", date(2024, 1, 1), 60), ("E2", date(2025, 1, 1), 90), ("E3", date(2025, 1, 2), 90),
             ("E4", date(2024, 1, 1), None)]  # fmt: skip
    provider.load(
        {
            "episodes": [
                {
                    "episode_id": episode,
                    "person_id": f"P{episode}",
                    "admit_date": admitted,
                    "discharge_date": None if stay is None else admitted + timedelta(stay),
                    "discharge_reason": None if stay is None else "completed",
                }
                for episode, admitted, stay in stays
            ]
        }
    )
    found = {row["episode_key"]: row["observed_days"] for row in provider.state("episode")}
    expected = {"E1": 515, "E2": 545, "E3": 544, "E4": 911}
    assert found == {pseudonym(provider.key, "episode", name): days for name, days in expected.items()}


def shifted(files: Files, by: int) -> Files:
    """All dates of everybody, moved."""
    return {
        table: [
            {name: value + timedelta(by) if isinstance(value, date) else value for name, value in row.items()}
            for row in rows
        ]
        for table, rows in files.items()
    }


def one_person(admitted: date) -> Files:
    """A person whose every date hangs on the admission: two stays, sessions, scores, calls, a hospital stay."""

    def day(number: int) -> date:
        return admitted + timedelta(number)

    again = {"episode_id": "E2", "admit_date": day(200), "discharge_date": day(235)}
    return {
        "episodes": [
            {"admit_date": admitted, "discharge_date": day(50), "discharge_reason": "completed",
             "referral_date": day(-9)},
            {**again, "discharge_reason": "moved", "referral_date": day(190)},
        ],
        "attendance": [{"session_date": day(n)} for n in (0, 3, 50)],
        "scores": [{"assessed_on": day(n), "total": 20 - n % 20} for n in (-3, 14, 49)],
        "substance_use": [{"observed_on": day(7)}],
        "readmissions": [{"admit_date": day(60), "discharge_date": day(65)}],
        "followups": [{"attempted_on": day(82), "reached": False}],
        "capture": [{"from": day(-5), "to": day(300)}],
    }  # fmt: skip


def everything(provider: Provider, without: tuple[str, ...] = ()) -> dict[str, list[tuple[object, ...]]]:
    """Every value of every table of the snapshot but some columns; the calendar counts nobody by key."""
    snapshot = provider.open()
    columns: dict[str, list[str]] = {}
    for table, column in snapshot.query("select table_name, column_name from information_schema.columns"):
        if column not in without and table not in ("attendance_calendar", "import_batch", "quarantine"):
            columns.setdefault(table, []).append(f'"{column}"')
    return {
        table: sorted(snapshot.query(f"select {', '.join(names)} from {table}"), key=repr)
        for table, names in columns.items()
    }


@pytest.mark.parametrize(
    ("admitted", "without"),
    [
        (date(2026, 4, 2), ("observed_days",)),  # still inside the windows: observed days move with the dates
        (date(2024, 1, 2), ()),  # all windows are over: nothing moves
    ],
)
def test_moving_a_person_within_the_month_changes_no_stored_value(
    tmp_path: Path, admitted: date, without: tuple[str, ...]
) -> None:
    here, there = Provider(tmp_path / "here"), Provider(tmp_path / "there")
    there.key_file.write_bytes(here.key_file.read_bytes())
    files = one_person(admitted)
    here.load(files, cut=date(2027, 3, 31))
    there.load(shifted(files, 5), cut=date(2027, 3, 31))
    if without:
        assert everything(here) != everything(there)
    assert everything(here, without) == everything(there, without)
    assert len(everything(here)) > 12


def test_a_window_of_capture_does_not_give_the_admission_date_back(tmp_path: Path) -> None:
    """Sources see everybody from one day on up to the data cut: those days must not become numbers of a person."""
    found = []
    for home, admitted in (("one", date(2024, 1, 2)), ("other", date(2024, 1, 7))):
        provider = Provider(tmp_path / home)
        provider.key_file.write_bytes(bytes(range(32)))
        files = one_person(admitted)
        files["capture"] = [{"from": date(2023, 1, 1), "to": CUT}]
        provider.load(files)
        found.append(everything(provider))
        # What the window is for stays: 30 days after each stay were seen.
        assert provider.query("select min(captured_days) >= 30 from episode_outcome") == [(True,)]
    assert found[0] == found[1]


# Labels


@pytest.mark.parametrize(
    ("mode", "admitted", "left", "as_of"),
    [
        ("limited", "2026-02", "2026-04", "2026-06-30"),
        ("synthetic", "2026-02", "2026-04", "2026-06-30"),
        ("expert", "2026-Q1", None, "2026-Q2"),
        ("safe_harbor", "2026", None, "2026"),
    ],
)
def test_calendar_labels_have_the_grain_of_the_mode(
    provider: Provider, mode: PrivacyMode, admitted: str, left: str | None, as_of: str
) -> None:
    report = provider.load(
        {
            "episodes": [
                {"admit_date": date(2026, 2, 28), "discharge_date": date(2026, 4, 1), "discharge_reason": "moved"}
            ],
            "attendance": [{"session_date": date(2026, 3, 31)}],
        },
        privacy=mode,
    )
    assert provider.query("select admit_period, discharge_period from episode") == [(admitted, left)]
    assert provider.query("select admit_period, discharge_period from episode_outcome") == [(admitted, left)]
    snapshot = provider.open()
    assert (snapshot.facts.data_as_of, snapshot.facts.imported) == (as_of, as_of)
    calendar = snapshot.query("select period, weekday, sessions from attendance_calendar")
    assert calendar == ([("2026-03", 2, 1)] if left else [])  # 31 March 2026 is a Tuesday
    # Only a mode that needs a paper says that it is not recorded.
    assert report.warnings == ([] if mode in ("synthetic", "safe_harbor") else ["MODE_UNDOCUMENTED"])


@pytest.mark.parametrize("mode", MODES)
def test_no_date_finer_than_the_label_is_in_any_file_of_the_store(provider: Provider, mode: PrivacyMode) -> None:
    files = made_up(seed=8, episodes=25)
    provider.load(files, privacy=mode)
    snapshot = provider.open()
    types = {row[0] for row in snapshot.query("select distinct data_type from information_schema.columns")}
    assert not {kind for kind in types if kind.startswith(("DATE", "TIME", "INTERVAL"))}
    known = [value for rows in files.values() for row in rows for value in row.values()]
    secrets = {str(value).encode() for value in known if isinstance(value, date) and value != CUT}
    if mode in ("expert", "safe_harbor"):
        secrets |= {str(CUT).encode()} | {str(value)[:7].encode() for value in known if isinstance(value, date)}
    secrets |= {str(row["episode_id"]).encode() for row in files["episodes"]}
    assert len(secrets) > 100
    found = [
        (path.name, secret)
        for path in provider.store.rglob("*")
        if path.is_file()
        for secret in secrets
        if secret in path.read_bytes()
    ]
    assert found == []


def test_random_days_of_the_year_get_the_right_label(provider: Provider) -> None:
    chance = random.Random(1)
    admitted = [date(2024, 1, 1) + timedelta(chance.randrange(900)) for _ in range(50)]
    admitted += [date(2024, 2, 29), date(2024, 12, 31), date(2025, 1, 1), date(2025, 3, 31), date(2025, 4, 1)]
    rows = [{"episode_id": f"E{n}", "person_id": f"P{n}", "admit_date": day} for n, day in enumerate(admitted)]
    provider.load({"episodes": rows}, privacy="expert")
    found = {row["episode_key"]: row["admit_period"] for row in provider.state("episode")}
    assert found == {
        pseudonym(provider.key, "episode", f"E{n}"): f"{day.year}-Q{(day.month + 2) // 3}"
        for n, day in enumerate(admitted)
    }
