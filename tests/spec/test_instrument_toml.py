"""What is wrong in a questionnaire's TOML is said in one sentence that names the file and the key."""

import tomllib
from collections.abc import Callable
from importlib.resources import files

import pytest

from analytics.errors import InstrumentProblem
from analytics.instruments.toml_reader import EXPLAINED, read_questionnaire

# A made-up form of three items; what a test does not care about is right.
PLAIN = """
id = "made_up"
name = "MADE-UP-3"
aliases = ["Made up form"]
construct = "worry about tests"
better_phrase = "less worried"
worse_phrase = "more worried"
minimum = 0
maximum = 9
step = 1
better = "lower"
recall_days = 14
every_days = 14
bands = [["low", 0, 4], ["high", 5, 9]]
bands_evidence = "D"
licence = "Made for a test."
licence_evidence = "D"
source = "Nowhere"
reviewed = 2026-11-21

[profiles.default]
caseness = { value = 5, rule = ">=", evidence = "D", source = "Nowhere" }
reliable_change = { value = 3, evidence = "D", source = "Nowhere" }

[items]
count = 3
low = 0
high = 3
evidence = "D"
source = "Nowhere"

[prorating]
max_missing = 1
evidence = "D"
source = "Nowhere"

[not_given]
loinc = "Made up."
response = "Made up."
remission = "Made up."
mcid = "Made up."
"""


def test_a_plain_toml_is_read() -> None:
    (instrument,) = read_questionnaire(PLAIN, "made_up.toml").instruments
    assert instrument.items is not None and [item.number for item in instrument.items.scored] == ["1", "2", "3"]
    assert instrument.unverified == ()
    assert set(instrument.not_given) <= set(EXPLAINED)


def without(key: str) -> Callable[[str], str]:
    return lambda text: "\n".join(line for line in text.splitlines() if not line.startswith(f"{key} ="))


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (swap("id =", "id"), "made_up.toml is no valid TOML: "),
        (swap('id = "made_up"', 'id = "other"'), "made_up.toml, id: this must be the name of the file"),
        (without("name"), "made_up.toml, name: this is missing; it must be a text."),
        (swap("maximum = 9", 'maximum = "9"'), "made_up.toml, maximum: this must be a number."),
        (swap("recall_days = 14", "recall_days = true"), "made_up.toml, recall_days: this must be a whole number."),
        (swap("step = 1", "step = 1\ncolour = 3"), "made_up.toml, colour: there is no such key."),
        (swap('"lower"', '"less"'), "made_up.toml, better: this must be one of lower, higher."),
        (swap('"low", 0, 4', '"low", 0, 3'), "made_up.toml, bands: the bands must cover minimum to maximum"),
        (swap('"low", 0, 4', '"Low mood", 0, 4'), "made_up.toml, bands: a band has a name of"),
        (swap("value = 5", "value = 50"), "made_up.toml, profiles.default.caseness: this must lie within the range."),
        (swap('rule = ">="', 'rule = "<="'), "made_up.toml, profiles.default.caseness: the clinical range must lie"),
        (swap("value = 3", "value = 0"), "made_up.toml, profiles.default.reliable_change: this must be above 0"),
        (swap("[profiles.default]", "[profiles.usual]"), "made_up.toml, profiles.default: this is missing"),
        (swap('licence_evidence = "D"', 'licence_evidence = "sure"'), "made_up.toml, licence_evidence: this must be"),
        (swap("count = 3", "count = 4"), "made_up.toml, items: the answers give totals from 0 to 12"),
        (swap("count = 3", 'numbers = ["1", "1"]'), "made_up.toml, items.numbers: this must be a list of different"),
        (swap("high = 3", "high = 0"), "made_up.toml, items.high: the answers must run from low"),
        (swap("high = 3", 'high = 3\nreversed = ["7"]'), "made_up.toml, items.reversed: there is no item 7"),
        (swap("high = 3", 'high = 3\nclusters = [["1"]]'), "made_up.toml, items.clusters: every item that counts"),
        (swap("high = 3", 'high = 3\nscoring = "highest"'), "made_up.toml, items.levels: this is missing"),
        (
            swap("[items]", '[reliability]\nvalue = 1\nevidence = "D"\nsource = "Nowhere"\n\n[items]'),
            "made_up.toml, reliability: this must be above 0 and below 1.",
        ),
        (
            swap("[items]", '[general_population]\nmean = 3\nsd = 0\nevidence = "D"\nsource = "Nowhere"\n\n[items]'),
            "made_up.toml, general_population: the mean must lie within the range, and the sd above 0.",
        ),
        (swap("max_missing = 1", "max_missing = 2"), "made_up.toml, prorating.max_missing: fewer than half"),
        (without("loinc"), "made_up.toml, loinc: give this, or say under [not_given] why it is not given."),
        (swap("loinc =", "caseness ="), "made_up.toml, not_given.caseness: this is given"),
        (swap("loinc =", "colour ="), "made_up.toml, not_given.colour: give a reason for one of"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(change: Callable[[str], str], says: str) -> None:
    with pytest.raises(InstrumentProblem) as problem:
        read_questionnaire(change(PLAIN), "made_up.toml")
    assert says in str(problem.value)


def test_a_domain_takes_from_its_form_what_it_does_not_say_itself() -> None:
    text = (files("analytics.instruments") / "bam.toml").read_text(encoding="utf-8")
    form = read_questionnaire(text, "bam.toml")
    assert [each.id for each in form.instruments] == ["bam_use", "bam_risk", "bam_protection"]
    assert {(each.licence, each.recall_days, each.questionnaire) for each in form.instruments} == {
        (tomllib.loads(text)["licence"], 30, "bam")
    }
    # 3 + 6 + 6 items that count, and 8 that do not: each once.
    assert len(form.items) == 23
    broken = text.replace("maximum = 12", "maximum = 13", 1)
    with pytest.raises(InstrumentProblem, match=r"^bam\.toml, domains\.bam_use\.bands: "):
        read_questionnaire(broken, "bam.toml")
