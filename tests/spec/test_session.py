"""The door for pages: it follows the pointer, keeps the earlier data when the newest are damaged, and checks roles."""

from pathlib import Path

import pytest
from raw_files import Provider, made_up

from analytics.errors import DisclosureProblem, MeasureProblem
from analytics.measures.types import Cohort
from analytics.session import LONGEST_QUERY, SECTION_ROLES, Session, Viewer, local_viewer
from analytics.store.snapshot import current_id, snapshot_path


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


def test_the_earlier_data_are_shown_with_a_notice_when_the_newest_are_damaged(provider: Provider) -> None:
    assert provider.load(made_up(1, 20)).published
    session = Session(provider.store)
    before = session.view(local_viewer(), "explore")
    assert before.notice == ""
    assert provider.load(made_up(2, 30)).published
    newest = snapshot_path(provider.store, str(current_id(provider.store)))
    newest.write_bytes(newest.read_bytes()[:-4096])
    after = session.view(local_viewer(), "explore")
    assert after.provenance.snapshot_id == before.provenance.snapshot_id
    assert "before the last import" in after.notice
    # So it is in a server that starts now.
    started = Session(provider.store).view(local_viewer(), "explore")
    assert (started.provenance, started.notice) == (after.provenance, after.notice)


def test_a_question_that_takes_too_long_is_stopped_and_the_others_are_answered(provider: Provider) -> None:
    """Requirement SEC-60: a page cannot hold up all others."""
    provider.load(made_up(1, 20))
    session = Session(provider.store)
    view = session.view(local_viewer(), "explore")
    endless = "select sum(a.i * b.i) from range(100000000) a(i), range(100000000) b(i)"
    snapshot = provider.open()
    assert snapshot.patience is None  # a command line may take its time
    snapshot.patience = 0.1
    with pytest.raises(MeasureProblem, match=r"took longer than 0\.1 seconds and was stopped"):
        snapshot.query(endless)
    assert snapshot.query("select count(*) from episode") == [(20,)]
    assert view.result(view.measure("completion"), Cohort()).content.episodes == 20
    assert view._snapshot.patience == LONGEST_QUERY == 5


def test_a_page_is_denied_to_a_viewer_without_its_role(provider: Provider) -> None:
    provider.load(made_up(1, 20))
    session = Session(provider.store)
    for section, allowed in SECTION_ROLES.items():
        for role in ("explorer", "admissions", "accreditation", "steward"):
            viewer = Viewer("somebody", frozenset({role}))
            if role in allowed:
                session.view(viewer, section)
            else:
                with pytest.raises(DisclosureProblem, match="do not have access"):
                    session.view(viewer, section)


def test_a_download_leaves_one_line_and_none_when_the_log_cannot_be_written(provider: Provider) -> None:
    provider.load(made_up(1, 20))
    session = Session(provider.store)
    view = session.view(local_viewer(), "explore")
    result = view.result(view.measure("completion"), Cohort())
    content = view.download(result)
    assert result.provenance.snapshot_id.encode() in content
    assert len(session.log_path.read_text(encoding="utf-8").splitlines()) == 1
    session.log_path.unlink()
    session.log_path.mkdir()
    with pytest.raises(OSError):
        view.download(result)
