"""Who may open what: page by role, a page without the front door, and what the code of a page may touch."""

import ast
import re
from pathlib import Path

import pytest
from page_runs import NAMES, PAGES, alone, failures, front, through_the_front
from streamlit.testing.v1 import AppTest

import analytics.session
from analytics.errors import DisclosureProblem
from analytics.session import ALL_ROLES, SECTION_ROLES, Role, Section, Viewer, local_viewer, session_of
from analytics.settings import PROJECT_ROOT

every_page = pytest.mark.parametrize("script", PAGES, ids=NAMES)
every_role = pytest.mark.parametrize("role", sorted(ALL_ROLES))

# What a page script may import: it reads like the page, and every number comes through the view (style.md 7).
ALLOWED = re.compile(
    r"streamlit|analytics\.measures\.(types|cards)|analytics\.(texts|instruments)|analytics\.reports(\.\w+)?"
    r"|pages\.components\.\w+"
)


def one(role: Role) -> Viewer:
    return Viewer(f"somebody with the role {role}", frozenset({role}))


def shows_nothing(page: AppTest) -> bool:
    """Neither a heading nor a number nor anything to take away."""
    kinds = ("title", "header", "plotly_chart", "download_button", "table", "imgs", "expander")
    words = " ".join(each.value for each in page.markdown)
    return not any(page.get(kind) for kind in kinds) and re.search(r"\d", words) is None


# Page by role


def test_every_folder_of_pages_is_a_section_with_roles() -> None:
    folders = {path.name for path in (PROJECT_ROOT / "pages").iterdir() if any(path.glob("*.py"))}
    assert folders - {"components"} <= SECTION_ROLES.keys()
    assert all(roles <= ALL_ROLES for roles in SECTION_ROLES.values())


def test_the_matrix_of_sections_and_roles() -> None:
    # Held here as well, so that a change of who sees what cannot slip in with another change.
    assert {section: "".join(sorted(role[:2] for role in roles)) for section, roles in SECTION_ROLES.items()} == {
        "explore": "exst",  # explorer, steward
        "families": "acadexst",  # everybody: releases only
        "accreditation": "acst",
        "data": "exst",
    }


@every_role
@every_page
def test_a_page_opens_for_the_roles_of_its_section_and_for_no_other(demo: Path, script: Path, role: Role) -> None:
    page = alone(script, one(role))
    if role in SECTION_ROLES[script.parent.name]:
        assert failures(page) == []
        assert len(page.title) == 1
    else:
        assert list(page.exception) == []
        (sentence,) = [each.value for each in page.error]
        assert "access" in sentence
        assert shows_nothing(page)


@every_page
def test_a_viewer_without_roles_is_denied(demo: Path, script: Path) -> None:
    page = alone(script, Viewer("nobody", frozenset()))
    assert list(page.exception) == []
    assert len(page.error) == 1
    assert shows_nothing(page)


@pytest.mark.parametrize(
    ("section", "role"),
    [(section, role) for section in SECTION_ROLES for role in sorted(ALL_ROLES - SECTION_ROLES[section])],
)
def test_the_session_denies_before_it_opens_the_data(no_data: Path, section: Section, role: Role) -> None:
    # The store does not exist: had it been looked for, the error would be about the store.
    with pytest.raises(DisclosureProblem, match="access"):
        session_of(no_data).view(one(role), section)


@every_role
def test_the_top_bar_offers_a_role_its_pages_only(demo: Path, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analytics.session, "local_viewer", lambda: one(role))
    page = front()
    assert list(page.exception) == []
    for script in PAGES:
        where = str(script.relative_to(PROJECT_ROOT))
        if role in SECTION_ROLES[script.parent.name]:
            assert len(page.switch_page(where).run().title) == 1
        else:
            with pytest.raises(ValueError, match="page"):
                page.switch_page(where)


# A page without its front door


@every_page
def test_a_page_that_is_run_alone_shows_nothing(demo: Path, script: Path) -> None:
    page = alone(script)
    assert list(page.exception) == []
    (sentence,) = [each.value for each in page.error]
    assert "front page" in sentence
    assert shows_nothing(page)


@pytest.mark.parametrize(
    "viewer", ["local", {"name": "local", "roles": sorted(ALL_ROLES)}, object()], ids=["text", "dict", "object"]
)
def test_only_a_viewer_made_by_the_front_door_counts(demo: Path, viewer: object) -> None:
    page = AppTest.from_file(PAGES[0], default_timeout=60)
    page.session_state["viewer"] = viewer
    page.run()
    assert len(page.error) == 1
    assert shows_nothing(page)


def test_a_viewer_cannot_be_asked_for_in_the_address(demo: Path) -> None:
    page = alone(PAGES[0], address={"viewer": "local", "roles": "steward"})
    assert len(page.error) == 1
    assert shows_nothing(page)


def test_until_sign_in_exists_the_local_viewer_says_so() -> None:
    viewer = local_viewer()
    assert viewer.roles == ALL_ROLES
    assert "no sign-in" in viewer.banner


# What the code of a page touches


@every_page
def test_a_page_script_imports_words_figures_and_components_only(script: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    assert [name for name in sorted(imported) if not ALLOWED.fullmatch(name)] == []
    assert "pages.components.view" in imported  # the door


@every_page
def test_a_page_script_opens_its_view_before_anything_else(script: Path) -> None:
    tree = ast.parse(script.read_text(encoding="utf-8"))
    first = next(
        node
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and node is tree.body[0])
    )
    assert ast.unparse(first) == "view = open_view(__file__)"


@every_page
def test_a_page_script_holds_no_sql_and_asks_for_no_role(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    texts = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [text for text in texts if re.search(r"\bselect\b.+\bfrom\b|\bgroup by\b", text, re.IGNORECASE)] == []
    assert re.search(r"\brole|session_state|\bsql\(|\.query\(", source) is None


def test_nothing_on_pages_is_written_as_raw_html_but_the_style() -> None:
    calls = []
    for script in (PROJECT_ROOT / "pages").rglob("*.py"):
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword):
                assert node.arg != "unsafe_allow_html", script
            if isinstance(node, ast.Call) and re.fullmatch(r"st\.(html|iframe|components\..+)", ast.unparse(node.func)):
                calls.append(f"{script.stem}: {ast.unparse(node)}")
    assert calls == ["front: st.html(STYLE)"]


# Text of the data is text


def test_a_page_title_comes_from_the_script_itself(demo: Path) -> None:
    from pages.components.menu import title_of

    for script in PAGES:
        assert title_of(script) == through_the_front(script).title[0].value
