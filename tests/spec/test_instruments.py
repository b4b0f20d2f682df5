"""The instruments: every TOML loads, is complete in itself, and says what measures.md says."""

import tomllib
from importlib.resources import files

import pytest

from analytics.instruments import (
    PROFILES,
    Instrument,
    find_instrument,
    instrument_form,
    load_instruments,
    load_questionnaires,
    other_forms,
)

INSTRUMENTS = list(load_instruments().values())
each = pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda item: item.id)

# id            range      better    caseness   reliable change, mcid, bands (upper ends)
FACTS = """
    phq9           0-27   lower   >= 10   6     5     4 9 14 19 27
    gad7           0-21   lower   >= 8    4     4     4 9 14 21
    phq8           0-24   lower   >= 10   5     5     4 9 14 19 24
    phqa           0-27   lower   >= 10   6     5     4 9 14 19 27
    phq2           0-6    lower   >= 3    none  none  2 6
    pcl5           0-80   lower   >= 32   10    10    31 80
    audit          0-40   lower   >= 8    none  none  7 15 19 40
    audit_c        0-12   lower   none    none  none  2 3 12
    dast10         0-10   lower   >= 3    none  none  0 2 5 8 10
    bam_use        0-12   lower   >= 1    none  none  0 12
    bam_risk       0-24   lower   >= 12   none  none  11 24
    bam_protection 0-24   higher  <= 12   none  none  12 24
    bam_iop_use               0-12  lower  none none none 12
    bam_iop_risk              0-24  lower  none none none 24
    bam_iop_protection        0-24  higher none none none 24
    bam_continuous_use        0-90  lower  none none none 90
    bam_continuous_risk       0-180 lower  none none none 180
    bam_continuous_protection 0-180 higher none none none 180
    who5           0-100  higher  <= 50   10    10    50 100
    cssrs_level    0-6    lower   none    none  none  0 2 3 6
    oq45           0-180  lower   >= 64   14    none  63 180
    ors            0-40   higher  < 25    5     none  24.9 40
    bdi2           0-63   lower   none    none  none  13 19 28 63
    wsas           0-40   lower   none    none  none  9 20 40
    csq8           8-32   higher  none    none  none  32
"""


def facts(item: Instrument) -> list[str]:
    caseness = [item.caseness.rule, f"{item.caseness.value:g}"] if item.caseness else ["none"]
    change = f"{item.reliable_change.value:g}" if item.reliable_change else "none"
    mcid = f"{item.mcid.value:g}" if item.mcid else "none"
    ends = [f"{high:g}" for _, _, high in item.bands]
    return [item.id, f"{item.minimum:g}-{item.maximum:g}", item.better, *caseness, change, mcid, *ends]


def test_the_instruments_are_those_of_the_catalogue_with_its_values() -> None:
    rows = [line.split() for line in FACTS.strip().splitlines()]
    assert sorted(facts(item) for item in INSTRUMENTS) == sorted(rows)


@pytest.mark.parametrize(
    ("instrument", "profile", "caseness", "reliable_change"),
    [
        ("phq9", "default", 10, 6),
        ("phq9", "nhs", 10, 6),
        ("phq9", "strict", 10, 7),
        ("gad7", "default", 8, 4),
        ("gad7", "nhs", 8, 4),
        ("gad7", "strict", 10, 6),
        ("pcl5", "strict", 32, 15),
    ],
)
def test_profiles(instrument: str, profile: str, caseness: float, reliable_change: float) -> None:
    chosen = load_instruments()[instrument].profiles[profile]
    assert chosen.caseness is not None and chosen.caseness.value == caseness
    assert chosen.reliable_change is not None and chosen.reliable_change.value == reliable_change


def test_the_nhs_profile_takes_complete_forms_only() -> None:
    assert {item.id for item in INSTRUMENTS if "nhs" in item.profiles} == {"phq9", "gad7"}
    for item in INSTRUMENTS:
        assert all(chosen.complete_only == (name == "nhs") for name, chosen in item.profiles.items())


def test_caseness_of_the_audit_c_depends_on_gender() -> None:
    by_gender = load_instruments()["audit_c"].profiles["default"].caseness_by_gender
    assert {code: cut.value for code, cut in by_gender.items()} == {"male": 4, "female": 3}


def test_remission_and_response_exist_only_where_a_source_or_decision_gives_them() -> None:
    assert {item.id: item.remission.sql("last") for item in INSTRUMENTS if item.remission} == {
        "phq9": "last < 5",
        "phqa": "last < 5",
    }
    assert {item.id: item.response.value for item in INSTRUMENTS if item.response} == dict.fromkeys(
        ("gad7", "phq8", "phq9", "phqa"), 0.5
    )


def test_direction_makes_improvement_positive() -> None:
    assert load_instruments()["phq9"].direction * (15 - 9) > 0
    assert load_instruments()["who5"].direction * (36 - 60) > 0


def test_item_9_belongs_to_the_nine_item_forms() -> None:
    assert {item.id for item in INSTRUMENTS if item.item_9} == {"phq9", "phqa"}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("PHQ-9", "phq9"),
        ("phq 9", "phq9"),
        ("PHQ_9", "phq9"),
        ("GAD-7", "gad7"),
        ("PCL-5", "pcl5"),
        ("AUDIT-C", "audit_c"),
        ("Audit", "audit"),
        ("PHQ-9 Modified for Teens", "phqa"),
        ("C-SSRS", "cssrs_level"),
        ("OQ-45.2", "oq45"),
        ("PHQ-9M", "phqa"),
        ("BAM-IOP Use", "bam_iop_use"),  # 7 days: never the 30-day form
        ("44261-6", "phq9"),  # LOINC codes of the total and of the panel
        ("44249-1", "phq9"),
        ("44260-8", None),  # the code of item 9 alone
        ("75624-7", "audit"),
        ("75626-2", "audit_c"),
        ("70221-7", None),  # the PCL-C
        ("BDI-II", "bdi2"),
        ("BAM", None),  # three domains, never one total
        ("PCL-C", None),
        ("BDI", None),  # the first edition is another questionnaire
        ("", None),
    ],
)
def test_names_match_without_case_blanks_hyphens_and_underscores(written: str, found: str | None) -> None:
    instrument = find_instrument(written)
    assert (instrument.id if instrument else None) == found


def test_no_two_instruments_share_a_name() -> None:
    names = [
        form for item in INSTRUMENTS for form in {instrument_form(name) for name in (item.id, item.name, *item.aliases)}
    ]
    assert len(names) == len(set(names))


# Codes that are swapped or confused in public repositories
def test_the_codes_of_audit_and_audit_c_are_not_swapped_and_the_pcl_c_is_not_mapped() -> None:
    totals = {code.code: item.id for item in INSTRUMENTS for code in item.loinc if code.what == "total"}
    assert totals["75624-7"] == "audit"
    assert totals["75626-2"] == "audit_c"
    assert load_instruments()["pcl5"].loinc == ()
    codes = [code.code for item in INSTRUMENTS for code in item.loinc]
    assert len(codes) == len(set(codes)) and "70221-7" not in codes
    assert {instrument_form("70221-7"), "pclc", "bdi"} <= other_forms()


# Items, range of an answer, and how many may be missing: measures.md 3, 3.2 and 3.3
ITEMS = """
    phq9 9 0-3 2        phqa 9 0-3 2        gad7 7 0-3 1        pcl5 20 0-4 4       csq8 8 1-4 2
    phq8 8 0-3 0        phq2 2 0-3 0        who5 5 0-5 0        audit 10 0-4 0      audit_c 3 0-4 0
    dast10 10 0-1 0     wsas 5 0-8 0        cssrs_level 7 0-1 0
    bam_use 3 0-4 0     bam_risk 6 0-4 0    bam_protection 6 0-4 0
    bam_iop_use 3 0-4 0 bam_iop_risk 6 0-4 0 bam_iop_protection 6 0-4 0
    bam_continuous_use 3 0-30 0 bam_continuous_risk 6 0-30 0 bam_continuous_protection 6 0-30 0
"""


def test_items_are_those_of_the_catalogue() -> None:
    found = []
    for each_one in INSTRUMENTS:
        if each_one.items is not None and each_one.prorating is not None:
            first = each_one.items.scored[0]
            answers = f"{first.low:g}-{first.high:g}"
            missing = str(each_one.prorating.max_missing)
            found.append((each_one.id, str(len(each_one.items.scored)), answers, missing))
    words = ITEMS.split()
    assert sorted(found) == sorted(zip(*(words[place::4] for place in range(4)), strict=True))
    assert {each_one.id for each_one in INSTRUMENTS if each_one.items is None} == {"oq45", "ors", "bdi2"}


def test_what_is_particular_about_single_items() -> None:
    items = {each_one.id: each_one.items.items for each_one in INSTRUMENTS if each_one.items}
    reversed_items = {(name, item.number) for name, found in items.items() for item in found if item.is_reversed}
    assert reversed_items == {("dast10", "3")}
    assert {item.number: (item.high, item.step) for item in items["audit"] if item.step != 1} == {
        "9": (4, 2),
        "10": (4, 2),
    }
    clusters = [[item.number for item in items["pcl5"] if item.cluster == cluster] for cluster in (1, 2, 3, 4)]
    assert [(cluster[0], cluster[-1]) for cluster in clusters] == [("1", "5"), ("6", "7"), ("8", "14"), ("15", "20")]
    assert [item.number for item in items["bam_use"] if item.is_scored] == ["4", "5", "6"]
    assert {item.number for item in items["bam_risk"] if not item.is_scored} == {
        *(f"7{part}" for part in "abcdefg"),
        "17",
    }
    assert {item.number: item.level for item in items["cssrs_level"]} == {
        **{str(number): number for number in range(1, 6)},
        "6_lifetime": 3,
        "6_recent": 6,
    }


def test_only_levels_are_ordinal() -> None:
    assert {item.id for item in INSTRUMENTS if item.ordinal} == {"cssrs_level"}


@each
def test_days_and_words_are_plausible(instrument: Instrument) -> None:
    assert list(instrument.profiles) == [name for name in PROFILES if name in instrument.profiles]
    assert instrument.every_days in (None, 14)
    assert instrument.recall_days is None or 7 <= instrument.recall_days <= 365
    assert instrument.licence and instrument.source and instrument.construct
    assert instrument.better_phrase and instrument.worse_phrase


def test_no_item_texts_are_shipped() -> None:
    # An item is a question or a statement of its own; `item_9` and `items` are none.
    tomls = [file for file in files("analytics.instruments").iterdir() if file.name.endswith(".toml")]
    assert len(tomls) == len(load_questionnaires())
    for file in tomls:
        text = file.read_text(encoding="utf-8")
        assert "?" not in text
        items = tomllib.loads(text).get("items", {})
        words = {key: value for key, value in items.items() if isinstance(value, str)}
        assert set(words) <= {"evidence", "source", "scoring"}
