"""Referrals: which stay each led to, which repeat an earlier one, and that no admission date follows from them.

Definitions: measures.md 4 A (admission_conversion, days_referral_to_first_session); design.md 4 and SEC-5.
"""

import hashlib
import hmac
from datetime import date, timedelta
from pathlib import Path

import pytest

from analytics.intake.anchors import carry_anchors, settle_anchors
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.mapping_toml import load_mapping
from analytics.intake.relative import PrivacyMode
from analytics.intake.report import ImportReport
from tests.spec.raw_files import CUT, Files, Provider, Row

ADMITTED = date(2026, 1, 5)

# P1 was here from day 0 to 50 (E1) and again from day 100 on (E2); P2 from day 10 on (E3).
EPISODES: list[Row] = [
    {"discharge_date": ADMITTED + timedelta(50), "discharge_reason": "completed"},
    {"episode_id": "E2", "admit_date": ADMITTED + timedelta(100), "program_id": "SOUTH"},
    {"episode_id": "E3", "person_id": "P2", "admit_date": ADMITTED + timedelta(10)},
]


def day(number: int) -> date:
    return ADMITTED + timedelta(number)


def referral(number: int, received: int, **columns: object) -> Row:
    return {"referral_id": f"R{number}", "received_on": day(received), **columns}


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


def rejected(report: ImportReport) -> set[tuple[int | None, str | None, str]]:
    return {(item.row, item.column, item.rule) for item in report.files["referrals.csv"].rejected}


def stored(provider: Provider, columns: str) -> dict[str, tuple[object, ...]]:
    """What is stored of each referral, by its id in the file: the state has its pseudonym."""
    names = columns.split(", ")
    rows = {row["referral_key"]: tuple(row[name] for name in names) for row in provider.state("referral")}
    ids = (f"R{number}" for number in range(1, 30))
    keys = {
        name: hmac.new(provider.key.secret, f"referral\x1f{name}".encode(), hashlib.sha256).hexdigest()[:32]
        for name in ids
    }
    return {name: rows[key] for name, key in keys.items() if key in rows}


# Which stay a referral led to


def test_the_stay_of_a_referral_is_named_or_the_next_admission_within_60_days(provider: Provider) -> None:
    report = provider.load(
        {
            "episodes": EPISODES,
            "referrals": [
                referral(1, -60),  # 60 days before E1: still its own
                referral(2, -61),  # one day more: of no stay
                referral(3, 0),  # on the day itself
                referral(4, 20),  # during E1; E2 begins 80 days later
                referral(5, 40),  # 60 days before E2
                referral(6, 10, episode_id="E2"),  # named, so it may be longer
                referral(7, 101),  # nothing follows
                referral(8, -1, person_id=None, episode_id="E1"),  # names nobody, but the stay
                referral(9, 3, person_id="P2"),
                referral(10, 3, person_id="P9"),  # never admitted
                referral(11, 3, person_id=None),  # nobody named
            ],
        }
    )
    assert rejected(report) == set()
    # E1, E2, E3 are known by the day on which they began, on the clock of P1 or P2.
    begins = dict(provider.query("select episode_id, (start_day, los_days)::varchar from episode"))
    found = {
        name: (begins.get(episode), *rest)
        for name, (episode, *rest) in stored(provider, "episode_id, days_to_admission, episode_given").items()
    }
    first, second, other = "(0, 50)", "(100, NULL)", "(0, NULL)"
    assert found == {
        "R1": (first, 60, False),
        "R2": (None, None, False),
        "R3": (first, 0, False),
        "R4": (None, None, False),
        "R5": (second, 60, False),
        "R6": (second, 90, True),
        "R7": (None, None, False),
        "R8": (first, 1, True),
        "R9": (other, 7, False),
        "R10": (None, None, False),
        "R11": (None, None, False),
    }


def test_people_who_were_never_admitted_have_numbers_of_their_own(provider: Provider) -> None:
    provider.load(
        {
            "episodes": EPISODES,
            "referrals": [
                referral(1, 0),
                referral(2, 3, person_id="P9"),
                referral(3, 90, person_id="P9"),
                referral(4, 3, person_id="P8"),
                referral(5, 3, person_id=None),
                referral(6, 3, person_id=None, episode_id="E3"),
            ],
        }
    )
    person = {name: found for name, (found,) in stored(provider, "person_id").items()}
    (people,) = provider.query("select max(person_id) from episode")
    assert people == (2,)
    assert {person["R1"], person["R6"]} == {1, 2}
    assert person["R2"] == person["R3"] != person["R4"]
    assert {person["R2"], person["R4"]} == {3, 4}
    assert person["R5"] is None


# One per person per 30 days


def test_a_person_who_asks_again_within_30_days_asks_once(provider: Provider) -> None:
    received = {1: 0, 2: 0, 3: 30, 4: 31, 5: 61, 6: 62, 7: 200}
    # Day 0 counts; 0 again and 30 repeat it. 31 counts anew, 61 repeats it, 62 counts, 200 counts.
    rows = [referral(n, received[n], person_id="P9") for n in received if received[n] < 170]
    rows += [referral(20, 0, person_id=None), referral(21, 0, person_id=None)]  # nobody named: never a repeat
    provider.load({"episodes": EPISODES, "referrals": rows})
    repeats = {name: found for name, (found,) in stored(provider, "is_repeat").items()}
    assert sorted([repeats.pop("R1"), repeats.pop("R2")]) == [False, True]
    assert repeats == {"R3": True, "R4": False, "R5": True, "R6": False, "R20": False, "R21": False}


# What was observed


def test_observed_days_are_whole_thirties_up_to_90(provider: Provider) -> None:
    before = {1: 0, 2: 29, 3: 30, 4: 59, 5: 89, 6: 90, 7: 300}
    rows: list[Row] = [
        {"referral_id": f"R{n}", "person_id": f"Q{n}", "received_on": CUT - timedelta(days)}
        for n, days in before.items()
    ]
    provider.load({"episodes": EPISODES, "referrals": rows})
    observed = [days for (days,) in stored(provider, "observed_days").values()]
    assert observed == [0, 0, 30, 30, 60, 90, 90]


# Rules


def test_every_rule_of_a_referral(provider: Provider) -> None:
    rows = [
        referral(1, 0),
        {"referral_id": None, "received_on": day(0)},
        {"referral_id": "R3", "received_on": None},
        referral(4, 0, source="friend"),
        referral(5, 0, decision="perhaps"),
        referral(6, 0, episode_id="E77"),  # no such stay
        referral(7, 0, person_id="P2", episode_id="E1"),  # the stay is of P1
        referral(8, 1, episode_id="E1"),  # received after the stay began
        referral(9, 0, decision="declined", episode_id="E1"),
        referral(10, 0, decision="waitlist", episode_id="E1"),  # an old word: kept
        {"referral_id": "R11", "received_on": CUT + timedelta(1)},
        {"referral_id": "R12", "received_on": date(1999, 12, 31)},
        referral(1, 0),  # the same again
        referral(14, 0),
        referral(14, 1),  # one id, two days
        referral(16, 0, person_id="219-09-9999"),
        referral(17, 0, source=None, decision=None),  # neither is needed
    ]
    report = provider.load({"episodes": EPISODES, "referrals": rows}, imported=CUT + timedelta(5))
    assert rejected(report) == {
        (2, "referral_id", "REQUIRED"),
        (3, "received_on", "REQUIRED"),
        (4, "source", "BAD_ENUM"),
        (5, "decision", "BAD_ENUM"),
        (6, "episode_id", "FK_MISSING"),
        (7, "person_id", "INCONSISTENT"),
        (8, "received_on", "DATE_ORDER"),
        (9, "decision", "INCONSISTENT"),
        (11, "received_on", "AFTER_DATA_CUT"),
        (12, "received_on", "DATE_RANGE"),
        (13, "referral_id", "DUPLICATE_EXACT"),
        (14, "referral_id", "DUPLICATE_CONFLICT"),
        (15, "referral_id", "DUPLICATE_CONFLICT"),
        (16, "person_id", "PHI_VALUE"),
    }
    assert report.files["referrals.csv"].accepted_rows == [1, 10, 17]
    assert report.published and provider.query("select count(*) from referral") == [(3,)]
    assert provider.query("select referral, satisfaction, finance from collected") == [(True, False, False)]


def test_a_file_without_the_columns_that_are_not_needed(provider: Provider) -> None:
    folder = provider.write({"episodes": EPISODES})
    (folder / "referrals.csv").write_text(f"referral_id,received_on\nR1,{day(0)}\nR2,{day(1)}\n")
    assert provider.load(folder).published
    assert provider.query("select count(*), count(person_id), count(referral_period) from referral") == [(2, 0, 2)]


# What may be known from the store (SEC-5)


def asking(admitted: date) -> Files:
    """A closed stay of P1 with referrals before, during and after it; all windows are over long before the cut."""
    at = {number: admitted + timedelta(number) for number in (-100, -70, -3, 20, 80, 81)}
    return {
        "episodes": [
            {"admit_date": admitted, "discharge_date": admitted + timedelta(50), "discharge_reason": "completed"},
            {"episode_id": "E2", "person_id": "P2", "admit_date": date(2024, 3, 4)},
        ],
        "referrals": [
            {"referral_id": f"R{number}", "received_on": received} for number, received in enumerate(at.values())
        ],
    }


@pytest.mark.parametrize("mode", ["limited", "safe_harbor"])
def test_moving_a_person_within_the_label_changes_nothing_that_is_stored(tmp_path: Path, mode: PrivacyMode) -> None:
    """The stays have the same months, yet the referrals around them lie in other ones (29 April, 8 May)."""
    found = []
    for home, admitted in (("one", date(2024, 5, 2)), ("other", date(2024, 5, 11))):
        provider = Provider(tmp_path / home)
        provider.key_file.write_bytes(bytes(range(32)))
        assert provider.load(asking(admitted), privacy=mode).published
        found.append(provider.open().facts.table_hashes)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("mode", "label"),
    [("limited", "2026-02"), ("expert", "2026-Q1"), ("safe_harbor", "2026")],
)
def test_only_people_who_were_never_admitted_have_a_label(provider: Provider, mode: PrivacyMode, label: str) -> None:
    rows = [referral(1, -3), referral(2, 40), referral(3, 30, person_id="P9")]  # 2026-02-04
    provider.load({"episodes": EPISODES[:1], "referrals": rows}, privacy=mode)
    assert stored(provider, "referral_period, days_to_admission") == {
        "R1": (None, 3),
        "R2": (None, None),  # P1 was admitted: neither a label nor days
        "R3": (label, None),
    }
    types = provider.query("select distinct data_type from information_schema.columns where table_name = 'referral'")
    assert not [kind for (kind,) in types if str(kind).startswith(("DATE", "TIME", "INTERVAL"))]
    content = b"".join(path.read_bytes() for path in provider.store.rglob("*") if path.is_file())
    for secret in (str(day(-3)), str(day(30)), str(day(40))):
        assert secret.encode() not in content


# Batches


def same_as_one_import(provider: Provider, home: Path, files: Files, cut: date = CUT) -> None:
    fresh = Provider(home)
    fresh.key_file.write_bytes(provider.key_file.read_bytes())
    assert fresh.load(files, cut=cut).published
    assert dict(provider.open().facts.table_hashes) == dict(fresh.open().facts.table_hashes)


def test_batches_add_up_to_one_import(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "batches")
    early = [referral(1, -3), referral(2, -20), referral(3, 95), referral(4, 100, person_id="P9"),
             referral(5, 101, person_id=None), referral(6, 0, person_id=None, episode_id="E3")]  # fmt: skip
    provider.load({"episodes": [EPISODES[0], EPISODES[2]], "referrals": early})
    # E2 comes later: the referral of day 95 was of no stay and now led to it. P9 asks again. R5 is corrected.
    later: Files = {
        "episodes": EPISODES[1:2],
        "referrals": [referral(7, 120, person_id="P9"), referral(5, 102, person_id="P9", decision="declined")],
    }
    report = provider.add(later)
    assert report.published and rejected(report) == set()
    rows = [row for row in early if row["referral_id"] != "R5"]
    same_as_one_import(provider, tmp_path / "whole", {"episodes": EPISODES, "referrals": rows + later["referrals"]})
    assert provider.add(later).unchanged
    # Somebody who was never admitted is admitted: what had a label now has days.
    assert provider.query("select count(*) from referral where referral_period is not null") == [(3,)]
    came: Row = {"episode_id": "E9", "person_id": "P9", "admit_date": day(125)}
    assert provider.add({"episodes": [came]}).published
    assert provider.query("select count(*) from referral where referral_period is not null") == [(0,)]
    same_as_one_import(
        provider, tmp_path / "admitted", {"episodes": [*EPISODES, came], "referrals": rows + later["referrals"]}
    )


def test_a_referral_of_a_stay_that_only_the_store_knows(provider: Provider) -> None:
    provider.load({"episodes": EPISODES})
    report = provider.add({"referrals": [referral(1, -5, episode_id="E1"), referral(2, 0, episode_id="E88")]})
    assert rejected(report) == {(2, "episode_id", "FK_MISSING")}
    assert provider.query("select days_to_admission, episode_given from referral") == [(5, True)]


def test_a_stay_that_now_begins_before_its_referral_loses_it(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "batches")
    rows = [referral(1, -3, episode_id="E1"), referral(2, -4)]
    provider.load({"episodes": EPISODES, "referrals": rows})
    moved = {**EPISODES[0], "admit_date": day(-4)}
    provider.add({"episodes": [moved]})
    assert provider.query("select days_to_admission from referral") == [(0,)]
    whole: Files = {"episodes": [moved, *EPISODES[1:]], "referrals": rows}
    same_as_one_import(provider, tmp_path / "whole", whole)


def test_a_file_that_shrinks_or_is_missing_holds_the_import(provider: Provider) -> None:
    rows = [referral(number, 0, person_id=f"Q{number}") for number in range(10)]
    provider.load({"episodes": EPISODES, "referrals": rows})
    for fewer in ({}, {"referrals": rows[:7]}):
        report = provider.load({"episodes": EPISODES, **fewer})
        assert (report.published, report.batch_rule) == (False, "SHRINK_GUARD")
    assert provider.load({"episodes": EPISODES, "referrals": rows[:8]}).published


def test_anchors_without_referrals_can_still_be_read(provider: Provider) -> None:
    """Format 1 had no lines of referrals; a state without any needs none."""
    provider.load({"episodes": EPISODES})
    path = provider.key.anchors_path
    assert path is not None
    text = path.read_text()
    head, body = text.replace(",episode\n", "\n").split("\n", 1)
    _, version, snapshot_id, cut, _ = head.split(" ")
    assert version == "2" and text.count(",episode\n") == 3
    checksum = hashlib.sha256(f"{snapshot_id} {cut}\n{body}".encode()).hexdigest()
    former = f"iop-anchors 1 {snapshot_id} {cut} {checksum}\n{body}"
    path.write_text(former)
    assert provider.add({"referrals": [referral(1, -1)]}).published
    assert provider.query("select days_to_admission from referral") == [(1,)]
    # Carried on to another snapshot they become format 2.
    path.write_text(former)
    carry_anchors(provider.key, snapshot_id, snapshot_id)
    settle_anchors(provider.key, snapshot_id)
    assert path.read_text() == text


# Sources in study days

STUDY = """
study_days = true
observed_until = 200
[episodes]
file = "stays.csv"
[episodes.columns]
episode_id = "Stay"
person_id = "Who"
admit_day = "First"
program_id = { const = "TRIAL", because = "one program" }
""" + "".join(
    f'{name} = "unknown"\n'
    for name in ("discharge_day", "discharge_reason", "modality", "planned_weeks", "level_of_care", "primary_condition",
                 "age_band", "gender", "referral_source")
) + """
[referrals]
file = "asked.csv"
[referrals.columns]
referral_id = "No"
person_id = "Who"
received_day = "Day"
"""  # fmt: skip


def test_study_days_place_referrals_on_the_clock_of_each_person(provider: Provider) -> None:
    folder = provider.home / "in"
    folder.mkdir()
    (folder / "stays.csv").write_text("Stay,Who,First\nE1,P1,140\n")
    (folder / "asked.csv").write_text("No,Who,Day\nR1,P1,135\nR2,P9,3\n")
    mapping = provider.home / "trial.toml"
    mapping.write_text(STUDY)
    request = ImportRequest(folder, provider.store, "limited", provider.key, CUT, CUT, load_mapping(mapping))
    assert run_import(request).published
    # P1 was observed for 65 days after asking; how long P9 was, who never came, nobody knows.
    assert stored(provider, "days_to_admission, observed_days, referral_period") == {
        "R1": (5, 60, None),
        "R2": (None, None, None),
    }
