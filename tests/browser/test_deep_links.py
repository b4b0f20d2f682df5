"""Every page is the first thing that anybody opens on a server that has just started.

Streamlit's older page discovery once opened such a page without the front door, or said "Page not found"
(docs/decisions/0002). That depends on what the server has seen before, so each page gets a server of its own.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from live_dashboard import Address, Tab, addresses, serving

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.title)
def test_a_link_to_a_page_opens_that_page_on_a_fresh_server(
    demo: Path, new_tab: Callable[..., Tab], address: Address
) -> None:
    with serving(demo) as server:
        tab = new_tab(server)
        tab.open(address.path)
        assert tab.title == address.title
        assert tab.trouble() == []
        # A page may add its own choices to the address.
        assert tab.page.url.partition("?")[0] == f"{server.url}/{address.path}"
        # Through the front door: the top bar is there.
        assert tab.page.get_by_role("banner").get_by_text("Explore", exact=True).count() == 1
