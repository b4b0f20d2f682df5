"""What only a real browser shows: links that people send, what is cut, what is called, what theme is drawn."""

import re
from collections.abc import Callable

import pytest
from live_dashboard import MILLISECONDS, Address, Server, Tab, addresses

from analytics.reports.palette import palette
from analytics.session import SECTION_ROLES
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

UNNAMED = """() => [...document.querySelectorAll('[data-testid="stMain"] img')]
    .filter(image => !image.hasAttribute('alt')).map(image => image.src.slice(0, 60))"""


# Links


def test_a_link_that_is_sent_shows_the_same_numbers(server: Server, new_tab: NewTab) -> None:
    mine = new_tab(server)
    mine.open("retention")
    everyone = mine.first_result()
    mine.choose("modality", "Telehealth")
    mine.page.wait_for_url(re.compile(r"[?&]modality=telehealth", re.IGNORECASE), timeout=MILLISECONDS)
    assert "telehealth" in mine.scope.lower()
    some = mine.first_result()
    assert some[1] != everyone[1]

    mine.page.get_by_role("button", name="Copy link").first.click()
    link = mine.page.get_by_test_id("stCode").first.inner_text().strip()
    assert re.fullmatch(rf"{re.escape(server.url)}/retention\?modality=telehealth", link, re.IGNORECASE)

    yours = new_tab(server)  # another person, who has no state
    yours.open(link)
    assert yours.trouble() == []
    assert yours.scope == mine.scope
    assert yours.first_result() == some


def test_the_filter_stays_when_the_page_changes_and_goes_when_it_is_removed(server: Server, new_tab: NewTab) -> None:
    tab = new_tab(server)
    tab.open("retention")
    tab.choose("modality", "Telehealth")
    tab.navigate("Explore", "Readmission")
    assert "telehealth" in tab.scope.lower()
    assert re.search(r"[?&]modality=telehealth", tab.page.url, re.IGNORECASE)
    tab.navigate("Data", "Definitions")  # has no filters
    tab.navigate("Explore", "Retention")
    assert "telehealth" in tab.scope.lower()

    tab.page.locator(".st-key-modality").get_by_role("button", name="Clear all").click()
    tab.page.wait_for_url(lambda url: "modality" not in url, timeout=MILLISECONDS)
    tab.settle()
    assert "everyone" in tab.scope.lower()


def test_an_unknown_value_in_a_link_is_dropped(server: Server, new_tab: NewTab) -> None:
    tab = new_tab(server)
    tab.open("retention?modality=horse+riding&split=person_id&anything=1")
    assert tab.trouble() == []
    assert "everyone" in tab.scope.lower()


def test_the_top_bar_leads_to_every_page(server: Server, new_tab: NewTab) -> None:
    tab = new_tab(server)
    tab.open("")
    for address in addresses():
        tab.navigate(SECTION_TITLES[address.section], address.title)
        assert tab.trouble() == []


def test_a_table_is_downloaded_marked_and_logged(server: Server, new_tab: NewTab) -> None:
    log = server.store / "logs" / "audit.jsonl"
    before = len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0
    tab = new_tab(server)
    tab.open("readmission")
    with tab.page.expect_download(timeout=MILLISECONDS) as started:
        tab.page.get_by_test_id("stDownloadButton").first.get_by_role("button").click()
    file = started.value
    snapshot = (server.store / "CURRENT").read_text(encoding="utf-8").strip()
    assert snapshot in file.suggested_filename and file.suggested_filename.startswith("internal-")
    with open(file.path(), encoding="utf-8-sig") as content:
        assert snapshot in content.read()
    assert len(log.read_text(encoding="utf-8").splitlines()) == before + 1


# Layout


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.title)
def test_no_label_is_cut_and_no_page_is_wider_than_the_window(
    server: Server, new_tab: NewTab, address: Address
) -> None:
    tab = new_tab(server)
    tab.open(address.path)
    for width in (1280, PHONE):
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.settle()
        assert tab.page.evaluate(CUT) == [], width
        assert tab.page.evaluate(WIDER_THAN_THE_WINDOW) == [], width
    assert tab.trouble() == []


@pytest.mark.parametrize("width", [1280, PHONE])
def test_an_opened_table_and_definition_fit_the_window(server: Server, new_tab: NewTab, width: int) -> None:
    tab = new_tab(server, width=width)
    tab.open("retention")
    result = tab.page.locator('[class*="st-key-rule-"]').nth(2)
    for expander in result.get_by_test_id("stExpander").all():
        expander.locator("summary").click()
    result.get_by_role("table").first.wait_for(timeout=MILLISECONDS)
    tab.settle()
    assert tab.page.evaluate(CUT) == []
    assert tab.page.evaluate(WIDER_THAN_THE_WINDOW) == []


def test_what_a_filter_holds_can_be_read(server: Server, new_tab: NewTab) -> None:
    tab = new_tab(server)
    tab.open("retention")
    tab.choose("modality", "Telehealth")
    tab.choose("weeks", "12 weeks planned")
    tab.page.get_by_role("heading", level=1).click()  # away from the box
    assert tab.page.evaluate(CUT) == []


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.title)
def test_headings_go_down_one_step_at_a_time_and_pictures_have_words(
    server: Server, new_tab: NewTab, address: Address
) -> None:
    tab = new_tab(server)
    tab.open(address.path)
    outline = tab.page.evaluate(OUTLINE)
    assert outline[0] == 1 and outline.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(outline, outline[1:], strict=False))
    assert tab.page.evaluate(UNNAMED) == []
    for chart in tab.page.get_by_test_id("stPlotlyChart").all():
        assert re.search(r"\d", chart.get_by_role("figure").first.get_attribute("aria-label") or "")


# Themes


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_and_charts_are_drawn_in_the_theme_of_the_computer(server: Server, new_tab: NewTab, theme: str) -> None:
    tab = new_tab(server, theme=theme)
    tab.open("retention")
    paper = palette(theme).paper.lstrip("#")
    rgb = f"rgb({', '.join(str(int(paper[place : place + 2], 16)) for place in (0, 2, 4))})"
    ground = "element => getComputedStyle(element).backgroundColor"
    assert tab.page.get_by_test_id("stApp").evaluate(ground) == rgb
    chart = tab.page.locator('[data-testid="stPlotlyChart"] svg.main-svg').first
    chart.wait_for(timeout=MILLISECONDS)
    assert chart.evaluate("element => element.style.background || getComputedStyle(element).background").startswith(rgb)


def test_every_section_of_the_menu_has_words() -> None:
    assert SECTION_TITLES.keys() == SECTION_ROLES.keys()
