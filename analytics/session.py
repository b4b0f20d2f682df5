"""The only door for pages: opens the current snapshot, applies the role, returns disclosed results.

One `Session` serves all pages of a server. It follows the pointer: when a new snapshot is published the next page run
reads it, and pages that are still running keep the old one. Results are cached by snapshot, measure, cohort and split.
"""

from __future__ import annotations

import hashlib
import threading
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final, Literal, TypeVar, cast

from analytics import audit_log
from analytics.disclosure import Disclosed, PairCounts, Provenance, internal_view
from analytics.errors import DisclosureProblem, MeasureProblem, StoreProblem
from analytics.measures import catalog, evaluate
from analytics.measures.groups import choices
from analytics.measures.pairs import pair_counts
from analytics.measures.results import StratifiedResult
from analytics.measures.types import NOT_KNOWN, Cohort, Measure, Stratifier
from analytics.profiles import Profile
from analytics.reports.tables import csv_bytes
from analytics.settings import DATA_FOLDER
from analytics.store.snapshot import Snapshot, current_id, open_before, open_current, snapshot_path
from analytics.texts import cohort_words, data_cut_words

Section = Literal["explore", "families", "accreditation", "data"]
Role = Literal["explorer", "admissions", "accreditation", "steward"]

# The folder of a page decides who may open it; the folder's name is the section.
SECTION_ROLES: Final[Mapping[Section, frozenset[Role]]] = {
    "explore": frozenset({"explorer", "steward"}),
    "families": frozenset({"admissions", "explorer", "accreditation", "steward"}),
    "accreditation": frozenset({"accreditation", "steward"}),
    "data": frozenset({"explorer", "steward"}),
}
ALL_ROLES: Final[frozenset[Role]] = frozenset({"explorer", "admissions", "accreditation", "steward"})

LOCAL_BANNER: Final = "Local session, no sign-in: everyone at this computer sees everything."

CACHED_RESULTS: Final = 500
LONGEST_QUERY: Final = 5.0  # seconds

Result = TypeVar("Result")


@dataclass(frozen=True)
class Viewer:
    """Who looks: a name for the log and the roles. The local viewer has all roles and is no one in particular."""

    name: str
    roles: frozenset[Role]
    banner: str = ""

    def may_open(self, section: Section) -> bool:
        """Return whether one of the viewer's roles opens this section."""
        return bool(self.roles & SECTION_ROLES[section])


def local_viewer() -> Viewer:
    """Return the one viewer there is until sign-in is configured."""
    return Viewer("local", ALL_ROLES, LOCAL_BANNER)


class Session:
    """Opens snapshots and answers pages. Safe for several threads."""

    def __init__(self, store: Path) -> None:
        """Remember the store; nothing is opened until a page asks."""
        self._store = store
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._cache: OrderedDict[Hashable, object] = OrderedDict()

    def _current(self) -> tuple[Snapshot, str]:
        """Return the snapshot to show and a notice: when the newest cannot be opened, the one before goes on."""
        with self._lock:
            try:
                if self._snapshot is None or current_id(self._store) != self._snapshot.snapshot_id:
                    # The former snapshot is not closed here: a page may still be reading it. It closes itself
                    # when the last page lets go of it.
                    self._snapshot = open_current(self._store)
                    self._snapshot.patience = LONGEST_QUERY
                    self._cache.clear()
            except StoreProblem as problem:
                # Data that were taken out of the store are not shown on.
                if self._snapshot is None or not snapshot_path(self._store, self._snapshot.snapshot_id).exists():
                    self._snapshot = open_before(self._store)
                if self._snapshot is None:
                    raise
                self._snapshot.patience = LONGEST_QUERY
                return self._snapshot, f"These are the data before the last import. {problem}"
            return self._snapshot, ""

    def view(self, viewer: Viewer, section: Section) -> View:
        """Return the door for one page run.

        Raises
        ------
        DisclosureProblem
            When the viewer has no role that opens this section.
        StoreProblem
            When there are no data, or the file is damaged.
        """
        if not viewer.may_open(section):
            raise DisclosureProblem("You do not have access to this page. Ask the data steward for the role.")
        snapshot, notice = self._current()
        return View(self, snapshot, viewer, notice)

    def remembered(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return the cached value of `key`, or make and keep it; the least used go first."""
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return cast("Result", self._cache[key])
        value = make()
        with self._lock:
            self._cache[key] = value
            while len(self._cache) > CACHED_RESULTS:
                self._cache.popitem(last=False)
        return value

    @property
    def log_path(self) -> Path:
        """Return where downloads are recorded."""
        return audit_log.log_of(self._store)


class View:
    """What one page run may see: one snapshot, one viewer, disclosed results only."""

    def __init__(self, session: Session, snapshot: Snapshot, viewer: Viewer, notice: str = "") -> None:
        """Use `Session.view`. `notice` is what every page must say first, "" for nothing."""
        self.notice = notice
        self._session = session
        self._snapshot = snapshot
        self.viewer = viewer

    def _remembered(self, key: Hashable, make: Callable[[], Result]) -> Result:
        # The tier stands in the key: what one role was shown must never answer another.
        return self._session.remembered((self._snapshot.snapshot_id, "internal", key), make)

    @property
    def provenance(self) -> Provenance:
        """Return what is printed with every number."""
        facts = self._snapshot.facts
        return Provenance(
            snapshot_id=facts.snapshot_id,
            data_as_of=data_cut_words(facts.data_as_of) if facts.data_as_of else "the last study day",
            privacy_mode=facts.privacy_mode,
            synthetic=facts.synthetic,
            tier="internal",
            banner=self.viewer.banner,
            episodes=facts.counts["episode"],
            persons=self._remembered("persons", self._persons),
            paper_gap=facts.paper_gap(date.today()),
        )

    def _persons(self) -> int:
        return int(self._snapshot.query("select count(distinct person_id) from episode")[0][0])

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what must be said wherever these data are shown: the rules of the mapping that made them."""
        return self._snapshot.facts.notes

    @property
    def left_out(self) -> Mapping[str, int]:
        """Return what the mapping left out on purpose, with counts."""
        return self._snapshot.facts.left_out

    def choices(self, by: Stratifier) -> tuple[str, ...]:
        """Return the codes of a split that occur in the snapshot, in the order in which groups are shown."""
        return self._remembered(("choices", by), lambda: choices(self._snapshot, by))

    def instruments(self) -> tuple[str, ...]:
        """Return the instruments that some program uses, the most used first."""
        rows = self._remembered(
            "instruments",
            lambda: self._snapshot.query(
                "select instrument, count(first) as measured from score_outcome group by 1 order by 2 desc, 1"
            ),
        )
        return tuple(str(row[0]) for row in rows)

    def therapies(self) -> dict[str, str]:
        """Return the therapies in these data, code to full name (data/therapies.toml; others as they are)."""
        named = tomllib.loads((DATA_FOLDER / "therapies.toml").read_text(encoding="utf-8"))
        codes = [code for code in self.choices(Stratifier.THERAPY) if code != NOT_KNOWN]
        return {code: str(named.get(code, {}).get("label", code)) for code in codes}

    def measure(self, measure_id: str, instrument: str | None = None, profile: Profile = "default") -> Measure:
        """Return a measure of the catalogue; MeasureProblem names the choices when there is none."""
        return catalog.find(measure_id, instrument, profile)

    def measure_or_none(self, measure_id: str, instrument: str) -> Measure | None:
        """Return a symptom measure, None when no threshold is known for this instrument."""
        try:
            return catalog.find(measure_id, instrument)
        except MeasureProblem:
            return None

    def catalogue(self) -> tuple[Measure, ...]:
        """Return the measures that these data can have: symptom measures of the instruments in use."""
        used = self.instruments()
        return tuple(measure for measure in catalog.in_profile() if measure.instrument in (None, *used))

    def definitions(self) -> tuple[Measure, ...]:
        """Return the measures that these data can have, with every set of thresholds."""
        used = self.instruments()
        return tuple(measure for measure in catalog.CATALOG if measure.instrument in (None, *used))

    def families(self) -> Mapping[str, str]:
        """Return the family of every measure by its id, in words."""
        return catalog.FAMILY_OF

    def headlines(self) -> dict[str, tuple[Measure, ...]]:
        """Return the measures of the overview by heading, those of instruments in use only."""
        by_name = {measure.name: measure for measure in self.catalogue()}
        groups = {
            words: tuple(by_name[name] for name in names if name in by_name)
            for words, names in catalog.headline_groups().items()
        }
        return {words: measures for words, measures in groups.items() if measures}

    def last_year(self, cohort: Cohort) -> tuple[Cohort, Cohort] | None:
        """Return the newest year of admissions and the year before it; None when the cohort names its own period.

        A year is twelve months, four quarters or one year, by the grain of the labels; shorter data have none.
        """
        periods = [period for period in self.choices(Stratifier.ADMIT_PERIOD) if period != NOT_KNOWN]
        if cohort.start or cohort.end or not periods:
            return None
        length = {7: 12 if "Q" not in periods[-1] else 4, 4: 1}.get(len(periods[-1]), 12)
        if len(periods) < 2 * length:
            return None
        now, before = periods[-length:], periods[-2 * length : -length]
        return (
            replace(cohort, start=now[0], end=now[-1]),
            replace(cohort, start=before[0], end=before[-1]),
        )

    def results(
        self, measures: Sequence[Measure], cohort: Cohort, by: Stratifier | None = None
    ) -> list[Disclosed[StratifiedResult]]:
        """Return one disclosed result per measure; measures over one table are one query."""
        words = cohort_words(cohort.where, cohort.start, cohort.end, cohort.unit)
        found = self._remembered(
            ("results", tuple(measure.name for measure in measures), cohort.key(), by),
            lambda: evaluate(measures, self._snapshot, cohort, by),
        )
        return [internal_view(result, self.provenance, words) for result in found]

    def result(self, measure: Measure, cohort: Cohort, by: Stratifier | None = None) -> Disclosed[StratifiedResult]:
        """Return one disclosed result."""
        return self.results([measure], cohort, by)[0]

    def pairs(self, instrument: str, cohort: Cohort) -> Disclosed[PairCounts]:
        """Return first and last totals of one instrument, counted, for the internal scatter."""
        words = cohort_words(cohort.where, cohort.start, cohort.end, cohort.unit)
        counts = self._remembered(
            ("pairs", instrument, cohort.key()), lambda: pair_counts(self._snapshot, instrument, cohort)
        )
        return internal_view(counts, self.provenance, words)

    def download(self, result: Disclosed[StratifiedResult]) -> bytes:
        """Return the table of a result as CSV, after writing one line to the audit log.

        Raises
        ------
        OSError
            When the log cannot be written: then nothing leaves.
        """
        content = csv_bytes(result)
        measure = result.content.measure
        audit_log.append(
            self._session.log_path,
            "download",
            viewer=self.viewer.name,
            measure=measure.name,
            by=str(result.content.by or ""),
            cohort=result.cohort_words,
            tier=result.provenance.tier,
            snapshot=result.provenance.snapshot_id,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        return content


_sessions: dict[Path, Session] = {}
_sessions_lock = threading.Lock()


def session_of(store: Path) -> Session:
    """Return the one session of this process for a store."""
    with _sessions_lock:
        return _sessions.setdefault(store, Session(store))
