"""A made-up provider of intensive outpatient programs, written as raw files that the import reads.

Nobody in it exists. It is large enough to try every page, and ten things are true in it on purpose, so that
a test, or a person, can check that a page finds what is there: `docs/demo.md` lists them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from analytics.demo import access, aftercare, people, scores, substance_use
from analytics.demo.attendance import attendance_rows
from analytics.demo.chance import stream
from analytics.demo.episodes import Episodes, make_episodes
from analytics.demo.mess import Mess
from analytics.demo.plan import DATA_CUT, IMPORT_DATE, Calendar
from analytics.demo.truths import TRUTHS, PlantedTruth
from analytics.demo.write import CsvFile, layouts, numbered
from analytics.errors import UsageProblem

__all__ = ["DemoFacts", "PlantedTruth", "write_raw"]

_BLOCK: Final = 20_000  # episodes whose sessions and scores are in memory at a time
# Each draws from a stream of its own: a change in one leaves the others as they are.
_CALENDAR, _EPISODES, _PEOPLE, _COURSE, _USE, _CAPTURE, _MESS = range(7)
_SESSIONS, _SCORES, _TESTS, _DESK, _HOSPITAL, _CALLS, _ACCESS, _SATISFACTION, _ITEMS, _FINANCE = range(7, 17)


@dataclass(frozen=True)
class DemoFacts:
    """What was written, and what is true in it.

    Attributes
    ----------
    data_cut : the last day for which the files are complete. `import_date` : a day on which to import them.
    rows : data rows by file name, the mistakes on purpose included.
    mess : rows that an import must refuse, by (file name, rule name).
    truths : what was planted, as in docs/demo.md. They hold from about 2,000 episodes on.
    """

    episodes: int
    seed: int
    data_cut: date
    import_date: date
    rows: dict[str, int]
    mess: dict[tuple[str, str], int]
    truths: tuple[PlantedTruth, ...] = TRUTHS


def _as_date(day: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + day)


def write_raw(folder: Path, episodes: int = 2400, seed: int = 1) -> DemoFacts:
    """Write the canonical files of a made-up provider into `folder`; files of those names are replaced.

    The same number and seed give the same bytes. A million episodes take a few minutes and some two
    GB of memory: sessions and scores are made and written in blocks of episodes.

    Parameters
    ----------
    folder : is made when it does not exist.
    episodes : how many; besides them the file has the copies that `DemoFacts.mess` counts.
    seed : 0 or more.

    Raises
    ------
    UsageProblem
        Fewer than one episode, or a negative seed.
    """
    if episodes < 1 or seed < 0:
        raise UsageProblem("A demo needs at least one episode, and a seed of 0 or more.")
    calendar = Calendar(stream(seed, _CALENDAR))
    stays = make_episodes(stream(seed, _EPISODES), calendar, episodes)
    about = people.make_people(stream(seed, _PEOPLE), stays)
    course = scores.make_course(stream(seed, _COURSE), stays)
    use = substance_use.make_use(stream(seed, _USE), stays, about.condition)
    mess = Mess(stream(seed, _MESS), stays)

    referrals = access.referral_rows(stream(seed, _ACCESS), stays, about, mess.first_free_person)
    layout = layouts(
        numbered("E", episodes + mess.templates.size),
        numbered("P", max(mess.first_free_person, int(referrals["person_id"].max()) + 1)),
        numbered("R", referrals["referral_id"].size),
    )
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = {name: stack.enter_context(CsvFile(folder / name, columns)) for name, columns in layout.items()}
        files["episodes.csv"].append(
            mess.episodes(stream(seed, _MESS, 1), people.episode_rows(stream(seed, _DESK), stays, about))
        )
        files["referrals.csv"].append(referrals)
        _write_hospital_and_calls(files, seed, stays, about, use)
        files["satisfaction.csv"].append(access.satisfaction_rows(stream(seed, _SATISFACTION), stays))
        files["finance.csv"].append(access.finance_rows(stream(seed, _FINANCE), stays))
        for block, first in enumerate(range(0, episodes, _BLOCK)):
            rows = slice(first, first + _BLOCK)
            some = stays.take(rows)
            sessions = attendance_rows(stream(seed, _SESSIONS, block), some, calendar, first)
            files["attendance.csv"].append(mess.attendance(stream(seed, _MESS, 2 + 2 * block), sessions, stays.admit))
            asked = scores.score_rows(stream(seed, _SCORES, block), some, course.take(rows), first)
            files["score_items.csv"].append(scores.item_rows(stream(seed, _ITEMS, block), asked, stays.program))
            files["scores.csv"].append(mess.scores(stream(seed, _MESS, 3 + 2 * block), asked, scores.HIGHEST))
            files["substance_use.csv"].append(
                substance_use.substance_rows(stream(seed, _TESTS, block), some, use.take(rows), first)
            )
        written = {name: file.rows for name, file in files.items()}
    return DemoFacts(episodes, seed, _as_date(DATA_CUT), _as_date(IMPORT_DATE), written, dict(mess.counts))


def _write_hospital_and_calls(
    files: dict[str, CsvFile], seed: int, stays: Episodes, about: people.People, use: substance_use.Use
) -> None:
    capture = aftercare.make_capture(stream(seed, _CAPTURE), stays)
    readmissions, hospital = aftercare.readmission_rows(stream(seed, _HOSPITAL), stays, about, use, capture)
    files["capture.csv"].append(aftercare.capture_rows(capture))
    files["readmissions.csv"].append(readmissions)
    files["followups.csv"].append(aftercare.followup_rows(stream(seed, _CALLS), stays, about, use, hospital))
