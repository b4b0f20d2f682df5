"""What only a real browser shows: links that people send, what is cut, what is called, what theme is drawn."""

import re
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import parse_qs

import pytest
from live_dashboard import Address, Server, Tab, addresses

from analytics.reports.palette import palette
from analytics.session import SECTION_ROLES
from pages.components.address import NAMES
from pages.components.menu import SECTION_TITLES

pytestmark = pytest.mark.browser

PHONE = 390
NewTab = Callable[..., Tab]

# Elements whose own text is wider than they are; letters inside drawings and boxes to type in are left alone.
CUT = """() => [...document.querySelectorAll('[data-testid="stMain"] *')].filter(element =>
    [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
    && !element.closest('svg, input, textarea, pre')
    && getComputedStyle(element).display !== 'inline'
    && element.getClientRects().length && element.clientWidth
    && element.scrollWidth > element.clientWidth + 1
).map(element => element.textContent.trim())"""

WIDER_THAN_THE_WINDOW = """() => ['[data-testid="stMain"]', 'html'].filter(selector => {
    const element = document.querySelector(selector);
    return element.scrollWidth > element.clientWidth + 1;
})"""

OUTLINE = """() => [...document.querySelectorAll('[data-testid="stMain"] :is(h1, h2, h3, h4, h5, h6)')]
    .map(heading => Number(heading.tagName[1]))"""

# Pictures without words: a swatch beside its word has an empty alternative on purpose, a chart says its values.
UNNAMED = """() => [
    ...[...document.querySelectorAll('[data-testid="stMain"] img')].filter(image => !image.hasAttribute('alt')),
    ...[...document.querySelectorAll('[data-testid="stPlotlyChart"]')]
        .filter(chart => !/[0-9]/.test(chart.getAttribute('aria-label') || '')),
].map(element => element.outerHTML.slice(0, 80))"""


# Links


def test_a_link_that_is_sent_shows_the_same_numbers(server: Server, new_tab: NewTab) -> None:
    mine = new_tab(server)
    mine.open("substance-use")
    everyone = mine.first_result()
    mine.choose("modality", "Telehealth")
    mine.page.wait_for_url(re.compile(r"[?&]modality=telehealth", re.IGNORECASE))
    assert "telehealth" in mine.scope.lower()
    some = mine.first_result()
    assert some[1] != everyone[1]

    mine.page.get_by_role("button", name="Copy link").first.click()
    link = mine.page.get_by_test_id("stCode").first.inner_text().strip()
    address, _, choices = link.partition("?")
    assert address == f"{server.url}/substance-use"
    assert parse_qs(choices)["modality"] == ["telehealth"]  # a code, as long as words may change
    assert parse_qs(choices).keys() <= set(NAMES)

    yours = new_tab(server)  # another person, who has no state
    yours.open(link)
    assert yours.trouble() == []
    assert yours.scope == mine.scope
    assert yours.first_result() == some


def test_the_filter_stays_when_the_page_changes_and_goes_when_it_is_removed(server: Server, new_tab: NewTab) -> None:
    tab = new_tab(server)
    tab.open("substance-use")
    tab.choose("modality", "Telehealth")
    tab.navigate("Explore", "Readmission")
    assert "telehealth" in tab.scope.lower()
    assert re.search(r"[?&]modality=telehealth", tab.page.url, re.IGNORECASE)
    tab.navigate("Data", "Definitions")  # has no filters
    tab.navigate("Explore", "Substance use")
    assert "telehealth" in tab.scope.lower()

    tab.page.locator(".st-key-modality").get_by_role("button", name="Clear all").click()
    tab.settle_on("everyone")
    assert "modality" not in tab.page.url


def test_an_unknown_value_in_a_link_is_dropped(server: Server, new_tab: NewTab) -> None:
    tab = new_tab(server)
    tab.open("readmission?modality=horse+riding&split=person_id&anything=1")
    assert tab.trouble() == []
    assert "everyone" in tab.scope.lower()


def test_the_top_bar_names_every_page(server: Server, new_tab: NewTab) -> None:
    tab = new_tab(server)
    tab.open("definitions")
    bar = tab.page.get_by_role("banner")
    for section in dict.fromkeys(address.section for address in addresses()):
        bar.get_by_text(SECTION_TITLES[section], exact=True).click()
        offered = tab.page.get_by_role("menuitem")
        offered.first.wait_for()
        assert {each.inner_text(): each.get_attribute("href") for each in offered.all()} == {
            address.title: f"{server.url}/{address.path}" for address in addresses() if address.section == section
        }
        tab.page.keyboard.press("Escape")


def test_a_table_is_downloaded_marked_and_logged(server: Server, new_tab: NewTab) -> None:
    log = server.store / "logs" / "audit.jsonl"
    before = len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0
    tab = new_tab(server)
    tab.open("readmission")
    with tab.page.expect_download() as started:
        tab.page.get_by_test_id("stDownloadButton").first.get_by_role("button").click()
    file = started.value
    snapshot = (server.store / "CURRENT").read_text(encoding="utf-8").strip()
    assert snapshot in file.suggested_filename and file.suggested_filename.startswith("internal-")
    with open(file.path(), encoding="utf-8-sig") as content:
        assert snapshot in content.read()
    assert len(log.read_text(encoding="utf-8").splitlines()) == before + 1


# Layout


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.title)
def test_a_page_fits_the_window_and_can_be_read_aloud(server: Server, new_tab: NewTab, address: Address) -> None:
    tab = new_tab(server)
    tab.open(address.path)
    outline = tab.page.evaluate(OUTLINE)
    assert outline[0] == 1 and outline.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(outline))
    assert tab.page.evaluate(UNNAMED) == []
    for width in (1280, PHONE):
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.settle()
        assert tab.page.evaluate(CUT) == [], width
        assert tab.page.evaluate(WIDER_THAN_THE_WINDOW) == [], width
    assert tab.trouble() == []


@pytest.mark.parametrize("width", [1280, PHONE])
def test_an_opened_table_and_definition_fit_the_window(server: Server, new_tab: NewTab, width: int) -> None:
    tab = new_tab(server, width=width)
    tab.open("readmission")
    result = tab.page.locator('[class*="st-key-rule-"]').nth(1)
    for expander in result.get_by_test_id("stExpander").all():
        expander.locator("summary").click()
    result.get_by_role("table").first.wait_for()
    tab.settle()
    assert tab.page.evaluate(CUT) == []
    assert tab.page.evaluate(WIDER_THAN_THE_WINDOW) == []


def test_what_a_filter_holds_can_be_read(server: Server, new_tab: NewTab) -> None:
    tab = new_tab(server)
    tab.open("readmission?modality=telehealth")
    assert tab.page.locator(".st-key-modality").get_by_text("Telehealth", exact=True).first.is_visible()
    assert tab.page.evaluate(CUT) == []


# Themes


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_and_charts_are_drawn_in_the_theme_of_the_computer(server: Server, new_tab: NewTab, theme: str) -> None:
    tab = new_tab(server, theme=theme)
    tab.open("readmission")
    paper = palette(theme).paper.lstrip("#")
    rgb = f"rgb({', '.join(str(int(paper[place : place + 2], 16)) for place in (0, 2, 4))})"
    ground = "element => getComputedStyle(element).backgroundColor"
    assert tab.page.get_by_test_id("stApp").evaluate(ground) == rgb
    chart = tab.page.locator('[data-testid="stPlotlyChart"] svg.main-svg').first
    chart.wait_for()
    assert chart.evaluate("element => element.style.background || getComputedStyle(element).background").startswith(rgb)


def test_every_section_of_the_menu_has_words() -> None:
    assert SECTION_TITLES.keys() == SECTION_ROLES.keys()
