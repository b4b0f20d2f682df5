"""The filters: whom they keep, what stands in the address, and what a page says when nobody is left."""

import itertools
import re
from pathlib import Path

import pytest
from page_runs import NAMES, PAGES, bare, failures, results, sentences, with_filters
from streamlit.testing.v1 import AppTest

from analytics.measures.types import NOT_KNOWN, Stratifier
from analytics.session import View, local_viewer, session_of
from analytics.store.snapshot import open_current
from analytics.texts import label
from pages.components.filters import FILTERS

RETENTION = next(script for script in PAGES if script.stem == "retention")
FILTERED = [script for script in PAGES if script.stem != "definitions"]
ADDRESS = {by: name for by, name, *_ in FILTERS}

every_filtered_page = pytest.mark.parametrize("script", FILTERED, ids=lambda script: script.stem)
every_filter = pytest.mark.parametrize("by", ADDRESS, ids=lambda by: by.value)


@pytest.fixture
def view(demo: Path) -> View:
    return session_of(demo).view(local_viewer(), "explore")


def admitted(page: AppTest) -> int:
    """The first rung of the first result: how many the filters keep."""
    match = re.match(r"Who is counted: ([0-9,]+) admitted", results(page)[0].line("Who is counted:"))
    assert match
    return int(match.group(1).replace(",", ""))


def scope(page: AppTest) -> str:
    """The first line under the title: who is looked at."""
    return bare(page.markdown[0].value)


def episodes(store: Path, condition: str = "true", **values: str) -> int:
    """Oracle: a count straight from the snapshot, without measures, cohorts or pages."""
    ((found,),) = open_current(store).query(f"select count(*) from episode_outcome where {condition}", values)
    return int(str(found))


@every_filter
@pytest.mark.parametrize("written", ["as a code", "in words"])
def test_a_filter_in_the_address_keeps_those_episodes_and_is_said(
    demo: Path, view: View, by: Stratifier, written: str
) -> None:
    code = next(code for code in reversed(view.choices(by)) if code != NOT_KNOWN)
    # Links that are sent hold codes, the address that the browser shows holds words.
    page = with_filters(RETENTION, **{ADDRESS[by]: code if written == "as a code" else label(by.value, code)})
    assert page.multiselect(ADDRESS[by]).value == [code]
    # Therapies stand in one text, `cbt|dbt`; every other split is a column that holds the code.
    holds = f"'|' || {by.value}::text || '|' like '%|' || $code || '|%'"
    expected = episodes(demo, holds, code=code)
    assert 0 < expected < episodes(demo)
    assert admitted(page) == expected
    assert label(by.value, code).lower() in scope(page).lower()
    assert all(label(by.value, code).lower() in result.lines[0].lower() for result in results(page))


def test_without_filters_everybody_is_counted(demo: Path) -> None:
    page = with_filters(RETENTION)
    assert admitted(page) == episodes(demo)
    assert "everyone" in scope(page).lower()


def test_two_codes_are_joined_by_or_and_two_filters_by_and(demo: Path) -> None:
    expected = episodes(demo, "modality in ('telehealth', 'hybrid') and planned_weeks = 12")
    assert 0 < expected < episodes(demo, "planned_weeks = 12")
    assert admitted(with_filters(RETENTION, modality=["telehealth", "hybrid"], weeks="12")) == expected


def test_the_period_counts_both_ends(demo: Path, view: View) -> None:
    first, last = view.choices(Stratifier.ADMIT_PERIOD)[3:6:2]
    page = with_filters(RETENTION, **{"from": first, "to": last})
    assert page.selectbox("from").value == first
    assert admitted(page) == episodes(demo, "admit_period::text between $first and $last", first=first, last=last)
    assert "admitted" in scope(page).lower()


def test_a_click_does_what_the_address_does(demo: Path) -> None:
    by_address = with_filters(RETENTION, modality="telehealth")
    by_click = with_filters(RETENTION)
    by_click.multiselect("modality").set_value(["telehealth"]).run()
    assert failures(by_click) == []
    assert results(by_click) == results(by_address)
    by_click.multiselect("modality").set_value([]).run()
    assert admitted(by_click) == episodes(demo)


@pytest.mark.parametrize(
    "address",
    [
        {"modality": "horse riding"},
        {"modality": "' or 1=1 --"},
        {"modality": ""},
        {"program": "../../etc"},
        {"weeks": "-1"},
        {"from": "January of long ago"},
        {"to": "9999-99"},
        {"split": "person_id"},
        {"unheard_of": "1"},
    ],
    ids=lambda address: "=".join(*address.items()),
)
def test_what_the_data_do_not_know_is_dropped_from_the_address(demo: Path, address: dict[str, str]) -> None:
    page = with_filters(RETENTION, **address)
    assert failures(page) == []
    assert admitted(page) == episodes(demo)
    assert "everyone" in scope(page).lower()


def test_of_a_known_and_an_unknown_value_the_known_is_kept(demo: Path) -> None:
    page = with_filters(RETENTION, modality=["telehealth", "horse riding"])
    assert failures(page) == []
    assert admitted(page) == episodes(demo, "modality = 'telehealth'")


@every_filtered_page
def test_every_page_obeys_the_filters(demo: Path, script: Path) -> None:
    filtered = with_filters(script, modality="telehealth")
    everyone = with_filters(script)
    assert failures(filtered) == []
    assert "telehealth" in scope(filtered).lower()
    assert sentences(filtered)[3:] != sentences(everyone)[3:]
    for some, all_of_them in zip(results(filtered), results(everyone), strict=True):
        assert some.line("Who is counted:") != all_of_them.line("Who is counted:")


@every_filtered_page
def test_nobody_left_is_said_in_words(demo: Path, view: View, script: Path) -> None:
    page = with_filters(script, **nobody(demo, view))
    assert failures(page) == []
    assert "nobody" in " ".join(sentences(page)).lower()
    for result in results(page):
        assert any("nobody" in line.lower() for line in result.lines), result.key
        assert not any(re.search(r"\d%", text) for text in (*result.headers, *result.charts)), result.key


def nobody(store: Path, view: View) -> dict[str, str]:
    """Two choices that the filters offer and that no episode has together."""
    singles = [by for by in ADDRESS if by.value != "therapy"]
    for one, other in itertools.combinations(singles, 2):
        for a, b in itertools.product(view.choices(one), view.choices(other)):
            if NOT_KNOWN in (a, b):
                continue
            both = f"{one.value}::text = $a and {other.value}::text = $b"
            if episodes(store, both, a=a, b=b) == 0:
                return {ADDRESS[one]: a, ADDRESS[other]: b}
    raise AssertionError("the demo has an episode for every pair of choices; choose another way to nobody")


@every_filtered_page
def test_a_handful_of_people_is_shown_with_its_mark(demo: Path, view: View, script: Path) -> None:
    page = with_filters(script, **few(demo, view))
    assert failures(page) == []
    for result in results(page):
        table = " ".join(result.inside.values())
        # A number of few people, or no number at all and the reason.
        assert "do not share" in table or any("obody" in line for line in result.lines), result.key


def few(store: Path, view: View) -> dict[str, str]:
    """Choices of the filters that 1 to 8 episodes have together."""
    singles = [by for by in ADDRESS if by.value != "therapy"]
    for number in (2, 3, 4):
        for splits in itertools.combinations(singles, number):
            columns = ", ".join(f"{by.value}::text" for by in splits)
            rows = open_current(store).query(
                f"select {columns}, count(*) from episode_outcome group by all having count(*) between 1 and 8", {}
            )
            rows = [row[:-1] for row in rows if None not in row]
            if rows:
                code = min(rows)
                return {ADDRESS[by]: str(value) for by, value in zip(splits, code, strict=True)}
    raise AssertionError("no small group in the demo")


def test_names_stay_for_the_links_that_people_sent() -> None:
    # These stand in links in mails and reports; a name may be added, never changed.
    assert {by.value: name for by, name in ADDRESS.items()} == {
        "modality": "modality",
        "therapy": "therapy",
        "planned_weeks": "weeks",
        "program_id": "program",
        "level_of_care": "level",
        "primary_condition": "condition",
    }
    assert len(NAMES) == len(set(NAMES))
