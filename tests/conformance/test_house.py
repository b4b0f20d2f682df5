"""The rules of the house: locks, settings, who may import what, and what must not stand in a file."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from analytics.settings import PROJECT_ROOT

LOCKS = ("requirements-run.lock", "requirements.lock")


def read(name: str) -> str:
    return (PROJECT_ROOT / name).read_text(encoding="utf-8")


def locked(name: str) -> dict[str, frozenset[str]]:
    """`package==version ; marker` of each entry, with its hashes."""
    entries = {}
    for line in read(name).replace("\\\n", " ").splitlines():
        requirement, *hashes = line.split("--hash=")
        entries[requirement.strip()] = frozenset(text.strip() for text in hashes)
    return entries


def project_files() -> list[Path]:
    """Files that are, or could be, committed."""
    if shutil.which("git") is None or not (PROJECT_ROOT / ".git").exists():
        pytest.skip("not a git checkout, so it cannot be told which files belong to the project")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout
    files = [PROJECT_ROOT / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


def imported_modules(source: str) -> set[str]:
    """Every module that `source` imports, at any depth; `from a import b` counts as `a` and `a.b`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def forbidden_imports(files: list[Path], forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{file.relative_to(PROJECT_ROOT)} imports {module}"
        for file in files
        for module in sorted(imported_modules(file.read_text(encoding="utf-8")))
        if any(module == name or module.startswith(name + ".") for name in forbidden)
    ]


# Locks and dependencies


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_no_index_address(lock: str) -> None:
    assert "://" not in read(lock)
    entries = locked(lock)
    assert len(entries) > 20
    assert [entry for entry in entries if entry.startswith("-")] == []  # an option of pip
    assert all(hashes and all(text.startswith("sha256:") for text in hashes) for hashes in entries.values())


def test_the_run_lock_is_a_subset_of_the_full_lock() -> None:
    run, full = (locked(lock) for lock in LOCKS)
    assert run.items() < full.items()


@pytest.mark.parametrize(("lock", "extras"), [(LOCKS[0], ()), (LOCKS[1], ("dev",))])
def test_a_lock_holds_what_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    asked = [
        *project["dependencies"],
        *(text for e in extras for text in project["optional-dependencies"][e]),
    ]
    versions = {}
    for entry in locked(lock):
        name, version = entry.split(";")[0].strip().split("==")
        versions[name] = version
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(versions[requirement.name.lower()]), requirement


def test_every_dependency_has_its_reason_written_down() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    reasons = read("docs/decisions/0006-dependencies.md")
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert [text for text in asked if f"`{Requirement(text).name}`" not in reasons] == []


# run.py and the checks


def test_run_script_can_be_read_by_python_3_6() -> None:
    ast.parse(read("run.py"), feature_version=(3, 6))


def test_run_script_and_all_it_imports_need_only_the_standard_library() -> None:
    roots = {name.split(".")[0] for name in imported_modules(read("run.py"))}
    assert roots - sys.stdlib_module_names == {"analytics"}
    waiting, seen = ["analytics", "analytics.doctor", "analytics.settings"], set()
    while waiting:
        module = waiting.pop()
        path = PROJECT_ROOT.joinpath(*module.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if module in seen or not file.is_file():  # `from a import b` also names a.b, which may be a function
            continue
        seen.add(module)
        imported = imported_modules(file.read_text(encoding="utf-8"))
        waiting += [name for name in imported if name.startswith("analytics.")]
        assert {name.split(".")[0] for name in imported} - {"analytics"} <= sys.stdlib_module_names, module
    assert "analytics.doctor.published" in seen


@pytest.mark.skipif(os.name == "nt", reason="Windows has no execute permission")
def test_the_check_can_be_executed() -> None:
    assert os.access(PROJECT_ROOT / ".ci" / "run", os.X_OK)


def test_the_licence_is_apache_2() -> None:
    assert "Apache License" in read("LICENSE").splitlines()[1]
    assert "END OF TERMS AND CONDITIONS" in read("LICENSE")


# Settings of the server that protect people

PROTECTION = [
    # option, value                                  what could happen with another value
    ("server.address", "127.0.0.1"),  # other machines reach the dashboard without sign-in
    ("server.allowedHosts", ["localhost", "127.0.0.1"]),  # a foreign page reads it through a made-up host
    ("server.enableCORS", True),  # the same from another origin
    ("server.enableXsrfProtection", True),  # a foreign page sends a form
    ("server.enableStaticServing", False),  # files beside the program become public
    ("server.enableAgentApi", False),  # a second, undocumented way to the pages
    ("server.fileWatcherType", "none"),  # edits on disk run at once
    ("server.maxUploadSize", 1),  # a large upload fills the memory
    ("server.showEmailPrompt", False),  # the first start waits for a keyboard
    ("browser.gatherUsageStats", False),  # the dashboard calls home
    ("client.showErrorDetails", "none"),  # a message with a value reaches the browser
    ("client.showErrorLinks", False),  # an error text is offered to a search engine
    ("client.toolbarMode", "minimal"),  # developer's buttons
    ("client.disableDataExport", True),  # downloads without a mark and a log entry
    ("runner.magicEnabled", False),  # a bare expression draws a number that nobody disclosed
]


@pytest.mark.parametrize(("option", "value"), PROTECTION)
def test_the_shipped_configuration_protects(option: str, value: object) -> None:
    section, name = option.split(".")
    assert tomllib.loads(read(".streamlit/config.toml"))[section][name] == value


def test_every_configured_option_exists_in_this_streamlit() -> None:
    from streamlit import config

    known = config.get_config_options().keys()

    def options(table: dict[str, object], prefix: str) -> list[str]:
        names = []
        for name, value in table.items():
            names += options(value, f"{prefix}{name}.") if isinstance(value, dict) else [prefix + name]
        return names

    configured = options(tomllib.loads(read(".streamlit/config.toml")), "")
    assert [name for name in configured if name not in known] == []


# Who may import what (import-linter holds the layers inside `analytics`)


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import duckdb", {"duckdb"}),
        ("import duckdb.typing as t", {"duckdb.typing"}),
        ("from analytics import store", {"analytics", "analytics.store"}),
        (
            "def f():\n    from analytics.store.read import x",
            {"analytics.store.read", "analytics.store.read.x"},
        ),
        ("if True:\n    import os, streamlit", {"os", "streamlit"}),
        ("text = 'import duckdb'", set()),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, modules: set[str]) -> None:
    assert imported_modules(source) == modules


def test_pages_and_reports_know_no_database() -> None:
    files = [
        PROJECT_ROOT / "app.py",
        *PROJECT_ROOT.glob("pages/**/*.py"),
        *PROJECT_ROOT.glob("analytics/reports/**/*.py"),
    ]
    files = [file for file in files if file.exists()]
    assert forbidden_imports(files, ("duckdb", "analytics.store", "analytics.intake")) == []


def test_the_package_knows_no_web_framework() -> None:
    files = [*PROJECT_ROOT.glob("analytics/**/*.py")]
    assert len(files) >= 4
    assert forbidden_imports(files, ("streamlit",)) == []


def test_only_store_intake_measures_and_disclosure_touch_duckdb() -> None:
    allowed = {"store", "intake", "measures", "disclosure"}
    files = [
        file
        for file in PROJECT_ROOT.glob("analytics/**/*.py")
        if file.relative_to(PROJECT_ROOT / "analytics").parts[0].removesuffix(".py") not in allowed
    ]
    assert forbidden_imports(files, ("duckdb",)) == []


def test_no_page_lies_where_streamlit_would_serve_it_without_the_front_door() -> None:
    # Streamlit runs scripts directly in pages/ without app.py, so without sign-in and roles.
    assert [*PROJECT_ROOT.glob("pages/*.py")] == []


# What must not stand in a file


def test_no_file_names_a_folder_of_one_machine() -> None:
    folder_of_a_machine = re.compile(r"/(tmp|work|root|home|Users)/[A-Za-z.]|[A-Z]:\\Users")
    found = []
    for file in project_files():
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # an image or another binary file
        name = file.relative_to(PROJECT_ROOT)
        found += [f"{name}:{n}" for n, line in enumerate(lines, 1) if folder_of_a_machine.search(line)]
    assert found == []


def test_no_module_is_called_after_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "services", "common", "misc", "src"}
    assert [file for file in project_files() if {file.stem, file.parent.name} & empty_words] == []


def test_every_module_of_the_program_fits_one_reading() -> None:
    lengths = {
        str(file.relative_to(PROJECT_ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for file in project_files()
        if file.suffix in {".py", ".sql"} and "tests" not in file.relative_to(PROJECT_ROOT).parts
    }
    assert {name: lines for name, lines in lengths.items() if lines > 350} == {}


def test_nothing_of_the_data_of_this_machine_can_be_committed() -> None:
    names = {str(file.relative_to(PROJECT_ROOT)) for file in project_files()}
    assert [
        name for name in names if re.search(r"\.(duckdb|wal|key|anchors|forgotten|receipts\.jsonl)$|^data/local/", name)
    ] == []


def test_every_file_is_of_a_kind_that_belongs_here() -> None:
    """A download or an archive that lies in the folder by chance stays in the history for ever once it is committed."""
    text = {".py", ".sql", ".toml", ".md", ".lock", ".yml", ".yaml", ".json"}
    without_suffix = {".gitignore", "LICENSE", ".ci/run"}
    binary = re.compile(r"docs/images/[a-z-]+\.png|tests/spec/state_of_version_1/[a-z0-9_/]+\.parquet")
    files = {str(file.relative_to(PROJECT_ROOT)): file for file in project_files()}
    assert [
        name
        for name, file in files.items()
        if file.suffix not in text and name not in without_suffix and not binary.fullmatch(name)
    ] == []
    assert [name for name, file in files.items() if file.stat().st_size > 500_000] == []
