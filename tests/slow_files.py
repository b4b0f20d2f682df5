"""The order of test files where several processes share them."""

from typing import Final

# Files of a minute and more begin first: the last one to begin decides when several processes are done.
SLOW_FIRST: Final = (
    "test_bench.py",
    "test_incremental.py",
    "test_store_publish.py",
    "test_damage.py",
    "test_every_measure.py",
    "test_forget.py",
    "test_import_corpus.py",
    "test_proposal.py",
    "test_fuzz.py",
    "test_crash.py",
    "test_in_a_browser.py",
    "test_deep_links.py",
    "test_disk.py",
    "test_deidentify.py",
    "test_catalog.py",
)
