"""The instruments: every TOML loads, is complete in itself, and says what measures.md says."""

import re
from importlib.resources import files
from itertools import pairwise

import pytest

from analytics.instruments import PROFILES, Instrument, find_instrument, instrument_form, load_instruments

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


@each
def test_bands_are_the_whole_range_without_gap_or_overlap(instrument: Instrument) -> None:
    steps = [(round(low / instrument.step), round(high / instrument.step)) for _, low, high in instrument.bands]
    assert instrument.bands[0][1] == instrument.minimum
    assert instrument.bands[-1][2] == instrument.maximum
    assert all(low <= high for low, high in steps)
    assert all(after[0] == before[1] + 1 for before, after in pairwise(steps))
    names = [name for name, _, _ in instrument.bands]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9_]{1,22}", name) for name in names)


@each
def test_thresholds_lie_inside_the_range_and_split_it(instrument: Instrument) -> None:
    width = instrument.maximum - instrument.minimum
    profiles = instrument.profiles.values()
    cutoffs = [cut for p in profiles for cut in (p.caseness, *p.caseness_by_gender.values())]
    for cut in [*cutoffs, instrument.remission]:
        if cut is not None:
            assert instrument.minimum <= cut.value <= instrument.maximum
            assert not (cut.value == instrument.minimum and cut.rule in (">=", "<"))
            # Being a case lies on the side that is not better.
    for cut in cutoffs:
        if cut is not None:
            assert (cut.rule in (">", ">=")) == (instrument.better == "lower")
    for fact in [instrument.mcid, *(p.reliable_change for p in instrument.profiles.values())]:
        assert fact is None or 0 < fact.value < width
    assert list(instrument.profiles) == [name for name in PROFILES if name in instrument.profiles]


@each
def test_prorating_days_and_words_are_plausible(instrument: Instrument) -> None:
    if instrument.prorating is not None:
        assert 0 <= instrument.prorating.max_missing < instrument.prorating.items / 2
    assert instrument.every_days in (None, 14)
    assert instrument.recall_days is None or 7 <= instrument.recall_days <= 365
    assert instrument.licence and instrument.source and instrument.construct
    assert instrument.better_phrase and instrument.worse_phrase


def test_no_item_texts_are_shipped() -> None:
    # An item is a question or a statement of its own; `item_9` and `items` are none.
    tomls = [file for file in files("analytics.instruments").iterdir() if file.name.endswith(".toml")]
    assert len(tomls) == len(INSTRUMENTS)
    for file in tomls:
        text = file.read_text(encoding="utf-8")
        assert "?" not in text
        assert set(re.findall(r"^(\w*item\w*) = \D", text, re.MULTILINE)) <= {"item_9"}
        assert "[item" not in text
