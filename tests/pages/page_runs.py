"""Runs pages without a browser and reads what they show: headings, results, sentences, charts.

Pages are found, not listed, so that a new page is tested by itself.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

from analytics.session import Section, Viewer, local_viewer
from analytics.settings import PROJECT_ROOT

SECTIONS = get_args(Section)
PAGES = sorted(
    script
    for section in SECTIONS
    for script in (PROJECT_ROOT / "pages" / section).glob("*.py")
    if not script.name.startswith("_")
)
# What a page is called in a test's name: "explore/retention".
NAMES = [f"{script.parent.name}/{script.stem}" for script in PAGES]

SECONDS = 60  # until a run counts as stuck; the first one imports everything, on a machine that may be busy


def front(theme: str = "light") -> AppTest:
    """Run the front door; it shows the first page."""
    door = AppTest.from_file(PROJECT_ROOT / "app.py", default_timeout=SECONDS)
    door.context["theme"] = theme
    return door.run()


def through_the_front(script: Path, theme: str = "light") -> AppTest:
    """Open a page as a person does: the front door, then a click in the top bar."""
    return front(theme).switch_page(str(script.relative_to(PROJECT_ROOT))).run()


def alone(
    script: Path, viewer: Viewer | None = None, address: Mapping[str, str | Sequence[str]] | None = None
) -> AppTest:
    """Run a page's script by itself, with what its address holds; without a viewer nobody has opened the door."""
    page = AppTest.from_file(script, default_timeout=SECONDS)
    if viewer is not None:
        page.session_state["viewer"] = viewer
    page.query_params.update(address or {})
    return page.run()


def with_filters(script: Path, **address: str | Sequence[str]) -> AppTest:
    """Run a page for the local viewer with what its address holds."""
    return alone(script, local_viewer(), address)


@dataclass(frozen=True)
class Result:
    """One result of a page, read from the block that holds it.

    Attributes
    ----------
    key : its key on the page. headers : its h2. lines : its Markdown outside of expanders, Markdown removed.
    charts : alternative texts of its charts outside of expanders. inside : expander label to what stands in it, tables
    as Markdown.
    """

    key: str
    headers: list[str]
    lines: list[str]
    charts: list[str]
    inside: dict[str, str]
    downloads: int

    def line(self, start: str) -> str:
        """Return the first line that starts so."""
        return next((line for line in self.lines if line.startswith(start)), "")


def results(page: AppTest) -> list[Result]:
    """Return the results of a page: ruled blocks with a row of tools of the same name."""
    return [_result(block) for block in _keyed(page.main, "rule-") if any(_keyed(block, _key(block, "tools-")))]


def blocks_with_charts(page: AppTest) -> list[Result]:
    """Return every ruled block that draws something, results and others."""
    return [found for found in map(_result, _keyed(page.main, "rule-")) if found.charts]


def sentences(page: AppTest) -> list[str]:
    """Return every sentence of a page outside of its expanders, and the words of its charts."""
    found = [text for text in _texts(page.main) if text]
    return [*found, *_charts(page.main)]


def bare(markdown: str) -> str:
    """Return Markdown as it is read: without escapes, emphasis and colours."""
    text = re.sub(r":(?:gray|small)\[", "", markdown)
    text = re.sub(r"(?<!\\)[\]*_]", "", text)
    return re.sub(r"\\([\\`*_\[\]:$#<>~|])", r"\1", text).strip()


def has_table(text: str) -> bool:
    """Return whether Markdown holds a table: a rule row under a head row."""
    return re.search(r"^\|.*\n\| *:?-+", text, re.MULTILINE) is not None


def failures(page: AppTest) -> list[str]:
    """Return what a person would see of a page that broke."""
    return [*(each.message for each in page.exception), *(each.value for each in page.error)]


def _keyed(block: Block, start: str) -> Iterator[Block]:
    for child in block.children.values():
        if isinstance(child, Block):
            if _key(child).startswith(start):
                yield child
            else:
                yield from _keyed(child, start)


def _key(block: Block, instead_of_rule: str = "") -> str:
    # Streamlit's id of a keyed container ends with the key: "$$ID-<32 hex digits>-<key>".
    key = re.sub(r"^\$\$ID-[0-9a-f]+-", "", str(getattr(block.proto, "id", "") or ""))
    return instead_of_rule + key.removeprefix("rule-") if instead_of_rule else key


def _result(block: Block) -> Result:
    return Result(
        _key(block),
        [child.value for child in _all(block, "header")],
        [bare(child.value) for child in _all(block, "markdown")],
        _charts(block),
        {each.label: _inside(each) for each in _all(block, "expander")},
        len(_all(block, "download_button", into=("popover",))),
    )


def _all(block: Block, kind: str, into: tuple[str, ...] = ()) -> list[Any]:
    """Return elements of one kind; expanders and popovers are looked into when they are named."""
    found: list[Any] = []
    for child in block.children.values():
        if child.type == kind:
            found.append(child)
        elif isinstance(child, Block) and (child.type not in ("expander", "popover") or child.type in into):
            found += _all(child, kind, into)
    return found


def _texts(block: Block) -> list[str]:
    return [
        bare(child.value) for kind in ("title", "header", "markdown", "info", "warning") for child in _all(block, kind)
    ]


def _charts(block: Block) -> list[str]:
    return [str(child.proto.alt) for child in _all(block, "plotly_chart")]


def _inside(expander: Block) -> str:
    parts = [bare(child.value) for child in _all(expander, "markdown")]
    parts += [f"| {' | '.join(child.value.columns)} |\n| --- |" for child in _all(expander, "table")]
    return "\n".join(parts)


def drawn(page: AppTest) -> list[dict[str, Any]]:
    """Return the Plotly figures of a page."""
    found: list[Element] = list(page.get("plotly_chart"))
    return [json.loads(chart.proto.spec) for chart in found]  # type: ignore[attr-defined]
