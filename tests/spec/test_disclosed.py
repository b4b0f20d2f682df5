"""The wall: only analytics.disclosure makes a Disclosed, and only a Disclosed is shown."""

import dataclasses
import inspect
import math
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from analytics.disclosure import Disclosed, internal_view, require_disclosed
from analytics.errors import DisclosureProblem
from analytics.measures.types import Cohort, Estimator, Stratifier
from analytics.reports import comparisons, figures, frame, marks, sentences, tables
from analytics.settings import PROJECT_ROOT
from tests.spec.showable import (
    COHORT_WORDS,
    PROVENANCE,
    by_modality,
    ladder,
    measure,
    number,
    result,
    share,
    shown,
    staying,
)


@dataclass(frozen=True)
class Pairs:
    pairs: tuple[tuple[float, float, int], ...]
    unmeasured: tuple[tuple[float, int], ...]
    instrument: str = "phq9"


def test_nobody_else_can_make_one() -> None:
    with pytest.raises(DisclosureProblem, match="internal_view"):
        Disclosed(result(by_modality()), PROVENANCE, COHORT_WORDS, frozenset())
    with pytest.raises(DisclosureProblem):
        dataclasses.replace(shown(by_modality()), small=frozenset())


def test_it_survives_a_cache() -> None:
    disclosed = shown(by_modality(), Stratifier.MODALITY)
    assert pickle.loads(pickle.dumps(disclosed)) == disclosed


def test_the_content_and_its_provenance_are_kept() -> None:
    plain = result(by_modality(), Stratifier.MODALITY)
    disclosed = internal_view(plain, PROVENANCE, COHORT_WORDS)
    assert disclosed.content is plain
    assert disclosed.provenance is PROVENANCE
    assert disclosed.cohort_words == COHORT_WORDS


@pytest.mark.parametrize(
    ("persons", "denominator", "is_small"),
    [
        (10, 12, True),  # twelve episodes of ten people are ten people
        (11, 12, False),
        (0, 0, True),
        (None, 10, True),
        (None, 199, True),  # nobody counted the people: 199 episodes may all be one person's
        (None, 200, False),
    ],
)
def test_small_is_fewer_than_eleven_people_not_episodes(persons: int | None, denominator: int, is_small: bool) -> None:
    disclosed = shown({"all": share(denominator // 2, denominator, persons=persons)})
    assert disclosed.small == (frozenset({"all"}) if is_small else frozenset())


def test_counted_as_persons_the_denominator_is_people() -> None:
    disclosed = shown({"all": share(20, 40, persons=None)}, cohort=Cohort(unit="person"))
    assert disclosed.small == frozenset()


def test_five_hundred_sessions_can_be_the_sessions_of_nine_people() -> None:
    sessions = number(0.8, 0.7, 0.9, 500, persons=None, unit="session")
    attendance = measure(estimator=Estimator.RATIO, ratio_unit="session")
    few = ladder(("admitted", 9), ("known", 9), ("with a session to count", 9))
    many = ladder(("admitted", 300), ("known", 300), ("with a session to count", 250))
    assert shown({"all": sessions}, of=attendance, ladder=few).small == {"all"}
    assert shown({"all": sessions}, of=attendance, ladder=many).small == frozenset()


def test_small_groups_are_shown_exactly_unless_a_minimum_withholds_them() -> None:
    exact = shown(by_modality(), Stratifier.MODALITY)
    assert exact.small == {"not known"}
    assert exact.withheld == frozenset()
    assert exact.content.estimates["not known"].numerator == 5


def test_a_minimum_takes_everything_of_a_smaller_group_out() -> None:
    curves = {"all": staying(*range(1, 400)), "not known": staying(1, 2, 3)}
    disclosed = shown(
        by_modality(),
        Stratifier.MODALITY,
        internal_minimum=30,
        curves=curves,
        ladders={"in_person": ladder(("admitted", 172)), "not known": ladder(("admitted", 9))},
        variants={"of those known": by_modality()},
    )
    content = disclosed.content
    hidden = content.estimates["not known"]
    assert disclosed.withheld == {"not known"}
    assert list(content.estimates) == list(by_modality())  # the row stays, with its reason
    assert math.isnan(hidden.value)
    assert (hidden.numerator, hidden.denominator, hidden.unknown, hidden.persons) == (0, 0, 0, None)
    assert hidden.reason == "Too few people to say (at least 30 needed)."
    assert content.estimates["telehealth"].numerator == 37
    assert "not known" not in content.curves
    assert "not known" not in content.ladders
    assert "not known" not in content.variants["of those known"]


def test_when_everybody_is_too_few_the_ladder_goes_too() -> None:
    disclosed = shown({"all": share(4, 9)}, internal_minimum=11)
    assert disclosed.withheld == {"all"}
    assert disclosed.content.ladder.steps == ()


def test_a_release_is_not_an_internal_view() -> None:
    release = dataclasses.replace(PROVENANCE, tier="release")
    with pytest.raises(DisclosureProblem, match="release"):
        internal_view(result(by_modality()), release, COHORT_WORDS)


def test_pairs_pass_the_wall_marked_or_refused() -> None:
    eight = Pairs(((15.0, 6.0, 5), (12.0, 12.0, 1)), ((20.0, 2),))
    assert internal_view(eight, PROVENANCE, COHORT_WORDS).small == {"all"}
    assert internal_view(eight, PROVENANCE, COHORT_WORDS, minimum=8).small == frozenset()
    with pytest.raises(DisclosureProblem, match="at least 11"):
        internal_view(eight, PROVENANCE, COHORT_WORDS, internal_minimum=11)


@pytest.mark.parametrize("bare", [share(1, 2), result(by_modality()), pd.DataFrame({"x": [1]}), None])
def test_anything_else_is_refused_in_words(bare: object) -> None:
    with pytest.raises(TypeError, match=r"Only disclosed results are shown, and this is a .*internal_view"):
        require_disclosed(bare)


def showing_functions(module: ModuleType) -> list[str]:
    """Public functions of a module that take a disclosed result first."""
    return [
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_")
        and any("Disclosed[" in str(annotation) for annotation in inspect.get_annotations(function).values())
    ]


SHOWING = [
    (module, name)
    for module in (figures, sentences, tables, marks, frame, comparisons)
    for name in showing_functions(module)
]


def test_there_is_something_to_refuse() -> None:
    assert {"dot_rows", "takeaway", "csv_bytes", "sparkline", "foot"} <= {name for _, name in SHOWING}


@pytest.mark.parametrize(("module", "name"), SHOWING)
@pytest.mark.parametrize("bare", [share(1, 2), result(by_modality()), pd.DataFrame({"x": [1]})])
def test_every_function_that_shows_refuses_what_is_not_disclosed(module: ModuleType, name: str, bare: object) -> None:
    function = getattr(module, name)
    required = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.KEYWORD_ONLY
    ]
    with pytest.raises(TypeError, match="Only disclosed results are shown"):
        function(bare, *["light"] * (len(required) - 1))


def test_a_bare_result_is_refused_in_any_position() -> None:
    disclosed = shown(by_modality(), Stratifier.MODALITY)
    with pytest.raises(TypeError, match="Only disclosed results are shown"):
        figures.outcome_bars(disclosed, disclosed, result(by_modality()), "light")


def test_mypy_refuses_them_too(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "import pandas as pd\n"
        "from analytics.disclosure import Disclosed\n"
        "from analytics.measures.results import Estimate, StratifiedResult\n"
        "from analytics.reports.figures import dot_rows\n"
        "def good(shown: Disclosed[StratifiedResult]) -> None:\n"
        "    dot_rows(shown, 'light')\n"
        "def bad(estimate: Estimate, table: pd.DataFrame, result: StratifiedResult) -> None:\n"
        "    dot_rows(estimate, 'light')\n"
        "    dot_rows(table, 'light')\n"
        "    dot_rows(result, 'light')\n",
        encoding="utf-8",
    )
    run = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(wrong)]
    told = subprocess.run(run, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False).stdout
    lines = [line.split(":")[1] for line in told.splitlines() if "error:" in line]
    assert lines == ["8", "9", "10"], told
