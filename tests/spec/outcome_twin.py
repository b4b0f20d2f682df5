"""A second, independent reading of the outcome rules: plain Python, row by row, no SQL and no cleverness.

Two engines that run one text agree on its mistakes. This twin was written from the rules, not from
`outcomes.sql`, and compares every column of the three outcome tables on random data
(tests/property/test_outcomes_twin.py). When it and the SQL differ, the rules decide, not either of them.
"""

from collections import defaultdict
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]

COHORT_COLUMNS = (
    "episode_id",
    "person_id",
    "program_id",
    "site",
    "population",
    "track",
    "level_of_care",
    "modality",
    "therapy",
    "planned_weeks",
    "primary_condition",
    "age_band",
    "gender",
    "referral_source",
    "payer_group",
    "admit_period",
    "discharge_period",
    "start_day",
    "los_days",
    "observed_days",
    "discharge_reason",
)
LEFT_EARLY = ("left_against_advice", "lost_contact", "administrative")
SUD_CONDITIONS = ("alcohol", "opioid", "stimulant", "cannabis", "co_occurring")
ACUTE = ("inpatient", "residential", "detox")
TESTS = ("urine", "breath", "oral")
FOLLOWUP_WINDOWS = {30: (21, 45), 90: (75, 120), 180: (150, 240), 365: (335, 425)}
FOLLOWUP_OUTCOMES = (
    "completed",
    "no_answer",
    "refused",
    "wrong_contact",
    "incarcerated",
    "deceased",
    "no_consent",
)
WEEKS_SHOWN = range(17)


class OutcomeTwin:
    """The three outcome tables of a set of complete row tables (`tests.spec.row_tables.complete`)."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.collected = tables["collected"][0]
        self.attendance = _by(tables["attendance"], "episode_id")
        self.substance_use = _by(tables["substance_use"], "episode_id")
        self.followup = _by(tables["followup"], "episode_id")
        self.acute_event = _by(tables["acute_event"], "person_id")
        self.capture = _by(tables["capture"], "person_id")
        self.episodes_of = {
            person: sorted(episodes, key=lambda e: (e["start_day"], e["episode_id"]))
            for person, episodes in _by(tables["episode"], "person_id").items()
        }
        self.instruments_of: dict[str, set[str]] = defaultdict(set)
        for row in tables["program_instrument"]:
            self.instruments_of[row["program_id"]].add(row["instrument"])
        self.direction = {row["instrument"]: row["direction"] for row in tables["instrument"]}
        self.scores = self._scores_by_owner()

    # ---- the three tables

    def episode_outcome(self) -> list[Row]:
        """One row per episode."""
        rows = []
        for episode in self.tables["episode"]:
            row = self._cohort(episode) | {"baseline_severity": self._severity_of_program(episode)}
            row |= {
                "paperwork_lag": None
                if row["exit_day"] is None
                else episode["los_days"] - row["exit_day"],
                "wait_days": episode["wait_days"],
            }
            row |= self._course(episode) | self._attendance(episode)
            row |= self._acute(episode) | self._substance(episode) | self._followups(episode)
            rows.append(row)
        return rows

    def score_outcome(self) -> list[Row]:
        """One row per episode and instrument that its program uses."""
        rows = []
        for episode in self.tables["episode"]:
            attended_days = self._attendance(episode)["attended_days"]
            for instrument in sorted(self.instruments_of[episode["program_id"]]):
                pair = self._pair(episode, instrument)
                row = self._cohort(episode)
                row |= {
                    "baseline_severity": self._band(instrument, pair["first"]),
                    "instrument": instrument,
                    "direction": self.direction[instrument],
                    "attended_days": attended_days,
                    "treated": None if attended_days is None else attended_days >= 2,
                }
                rows.append(row | pair)
        return rows

    def attendance_week(self) -> list[Row]:
        """One row per episode and week with any attendance row."""
        rows = []
        for episode in self.tables["episode"]:
            end = self._end_of_weeks(episode)
            hours = _hours_per_week(episode)
            weeks = _by([r | {"week": r["day"] // 7} for r in self.attendance[episode["episode_id"]]], "week")
            for week, sessions in weeks.items():
                attended = [s for s in sessions if s["status"] == "attended"]
                minutes = sum(s["minutes"] or 0 for s in attended)
                booked = ("attended", "no_show", "cancelled_client")
                rows.append(
                    {
                        "episode_id": episode["episode_id"],
                        "week": week,
                        "attended_days": len({s["day"] for s in attended}),
                        "attended_sessions": len(attended),
                        "attended_minutes": minutes,
                        "no_show_sessions": sum(s["status"] == "no_show" for s in sessions),
                        "scheduled_sessions": sum(s["status"] in booked for s in sessions),
                        "is_full": week * 7 + 6 <= end,
                        "at_dose": None if hours is None else minutes >= hours * 60,
                    }
                )
        return rows

    # ---- cohort columns

    def _cohort(self, episode: Row) -> Row:
        row = {column: episode[column] for column in COHORT_COLUMNS}
        person = self.episodes_of[episode["person_id"]]
        return row | {
            "exit_day": self._exit_day(episode),
            "is_closed": episode["los_days"] is not None,
            "exit": _exit(episode),
            "dose_band": self._dose_band(episode),
            "person_sequence": 1 + [e["episode_id"] for e in person].index(episode["episode_id"]),
        }

    def _exit_day(self, episode: Row) -> int | None:
        if episode["los_days"] is None:
            return None
        days = [r["day"] for r in self.attendance[episode["episode_id"]] if r["status"] == "attended"]
        if episode["discharge_reason"] in LEFT_EARLY and days:
            return max(days)
        return episode["los_days"]

    def _dose_band(self, episode: Row) -> str | None:
        if not self.attendance[episode["episode_id"]]:
            return None
        facts = self._attendance(episode)
        if facts["full_weeks"] == 0 or facts["weeks_at_dose"] is None:
            return None
        if facts["weeks_at_dose"] == 0:
            return "none"
        if facts["weeks_at_dose"] == facts["full_weeks"]:
            return "all"
        return "under half" if 2 * facts["weeks_at_dose"] < facts["full_weeks"] else "half or more"

    def _severity_of_program(self, episode: Row) -> str | None:
        used = self.instruments_of[episode["program_id"]]
        instrument = "phq9" if "phq9" in used else "gad7" if "gad7" in used else None
        if instrument is None:
            return None
        return self._band(instrument, self._pair(episode, instrument)["first"])

    def _band(self, instrument: str, total: float | None) -> str | None:
        if total is None:
            return None
        for row in sorted(self.tables["instrument"], key=lambda r: r["band_order"]):
            if row["instrument"] == instrument and row["band_low"] <= total <= row["band_high"]:
                return row["band"]
        return None

    # ---- courses

    def _course(self, episode: Row) -> Row:
        """Walk the person's episodes in order; a gap of more than 30 days since anybody's last day parts courses."""
        course, step, last_day = 0, 0, None
        seen: list[tuple[int, int, int]] = []
        for other in self.episodes_of[episode["person_id"]]:
            if last_day is None or other["start_day"] - last_day > 30:
                course, step, last_day = course + 1, 0, -1
            step += 1
            last_day = max(last_day, _last_known_day(other))
            seen.append((other["episode_id"], course, step))
        mine = next(entry for entry in seen if entry[0] == episode["episode_id"])
        person = self.episodes_of[episode["person_id"]]
        later = person[[e["episode_id"] for e in person].index(episode["episode_id"]) + 1 :]
        days = None
        if later and episode["los_days"] is not None:
            days = later[0]["start_day"] - episode["start_day"] - episode["los_days"]
        return {
            "course": mine[1],
            "course_step": mine[2],
            "is_course_last": mine[2] == max(entry[2] for entry in seen if entry[1] == mine[1]),
            "days_to_next_episode": None if days is None or days < 0 else days,
        }

    # ---- attendance

    def _end_of_weeks(self, episode: Row) -> int:
        exit_day = self._exit_day(episode)
        return episode["observed_days"] if exit_day is None else exit_day

    def _attendance(self, episode: Row) -> Row:
        rows = self.attendance[episode["episode_id"]]
        attended = [r for r in rows if r["status"] == "attended"]
        client = [r for r in rows if r["status"] == "cancelled_client"]
        days = sorted({r["day"] for r in attended})
        full_weeks = 0
        while full_weeks * 7 + 6 <= self._end_of_weeks(episode):
            full_weeks += 1
        hours = _hours_per_week(episode)
        weeks_at_dose = None
        if hours is not None:
            weeks_at_dose = 0
            for week in range(full_weeks):
                minutes = sum(r["minutes"] or 0 for r in attended if week * 7 <= r["day"] <= week * 7 + 6)
                weeks_at_dose += minutes >= hours * 60
        facts: Row = {
            "attended_sessions": len(attended),
            "no_show_sessions": sum(r["status"] == "no_show" for r in rows),
            "cancelled_client_sessions": len(client),
            "cancelled_late_sessions": sum(
                r["cancel_notice_hours"] is not None and r["cancel_notice_hours"] < 24 for r in client
            ),
            "notice_recorded_sessions": sum(r["cancel_notice_hours"] is not None for r in client),
            "cancelled_program_sessions": sum(r["status"] == "cancelled_program" for r in rows),
            "attended_days": len(days),
            "attended_minutes": sum(r["minutes"] or 0 for r in attended),
            "first_attended_day": days[0] if days else None,
            "last_attended_day": days[-1] if days else None,
            "early_attended_days": sum(1 <= day - days[0] <= 34 for day in days),
            "full_weeks": full_weeks,
            "weeks_at_dose": weeks_at_dose,
        }
        for kind in ("group", "individual", "family", "medication", "other"):
            facts[f"{kind}_minutes"] = sum(r["minutes"] or 0 for r in attended if r["session_type"] == kind)
        if not rows and not self.collected["attendance"]:
            return dict.fromkeys(facts)
        return facts

    # ---- hospital, residential and detox stays

    def _acute(self, episode: Row) -> Row:
        columns = (
            "readmission_day",
            "direct_transfer",
            "direct_transfer_end_day",
            "planned_admission_day",
            "step_up_day",
            "captured_days",
        )
        exit_day = self._exit_day(episode)
        if not self.collected["acute_event"] or exit_day is None:
            return dict.fromkeys(columns)
        transfer_days = (0, 1) if _exit(episode) == "transferred_higher" else (0,)
        exit_on_line = episode["start_day"] + exit_day
        stays = [r for r in self.acute_event[episode["person_id"]] if r["level_of_care"] in ACUTE]
        transfers = [r for r in stays if r["start_day"] - exit_on_line in transfer_days]
        ends = [r["end_day"] for r in transfers]
        # Still in that stay, or nobody knows: no end. Two stays at once: the later end.
        transfer_end = None if not ends or None in ends else max(ends) - exit_on_line
        later = [
            (r["start_day"] - exit_on_line, r["planned"] is True)
            for r in stays
            if r["start_day"] > exit_on_line and r not in transfers
        ]
        # At risk only from the end of the direct transfer on: a change of wards within it is no readmission.
        later = [(day, planned) for day, planned in later if transfer_end is None or day >= transfer_end]
        during = [
            r["start_day"] - episode["start_day"]
            for r in stays
            if r in transfers or 1 <= r["start_day"] - episode["start_day"] <= exit_day
        ]
        return {
            "readmission_day": min((day for day, planned in later if not planned), default=None),
            "direct_transfer": bool(transfers),
            "direct_transfer_end_day": transfer_end,
            "planned_admission_day": min((day for day, planned in later if planned), default=None),
            "step_up_day": min(during, default=None),
            "captured_days": self._captured_days(episode["person_id"], exit_on_line),
        }

    def _captured_days(self, person_id: int, exit_on_line: int) -> int | None:
        """Walk forward from the exit, day by day, as long as some source sees the person."""
        if not self.collected["capture"]:
            return None
        windows = [(r["from_day"], r["to_day"]) for r in self.capture[person_id]]
        day = exit_on_line
        while any(first <= day <= last for first, last in windows):
            day += 1
        return max(0, day - 1 - exit_on_line)

    # ---- substance use

    def _substance(self, episode: Row) -> Row:
        rows = self.substance_use[episode["episode_id"]]
        row: Row = {"is_sud": None}
        if episode["track"] is not None:
            row["is_sud"] = episode["track"] in ("substance_use", "co_occurring")
        elif episode["primary_condition"] is not None:
            row["is_sud"] = episode["primary_condition"] in SUD_CONDITIONS
        if not self.collected["substance_use"]:
            return row | dict.fromkeys(
                (
                    "days_used_admission",
                    "days_used_discharge",
                    "abstinent_admission",
                    "abstinent_discharge",
                    "controlled_admission",
                    "tests_negative",
                    "tests_positive",
                    "tests_excluded",
                    "tests_missed",
                )
            )
        reports = [(r["day"], r["days_used_past_30"]) for r in rows if r["days_used_past_30"] is not None]
        admission = [(day, used) for day, used in reports if -14 <= day <= 7]
        admission.sort(key=lambda report: (abs(report[0]), report[0], -report[1]))
        discharge: list[tuple[int, int]] = []
        if episode["los_days"] is not None:
            discharge = [(day, used) for day, used in reports if abs(day - episode["los_days"]) <= 14]
            discharge.sort(key=lambda report: (-report[0], -report[1]))
        row["days_used_admission"] = admission[0][1] if admission else None
        row["days_used_discharge"] = discharge[0][1] if discharge else None
        for when in ("admission", "discharge"):
            used = row[f"days_used_{when}"]
            row[f"abstinent_{when}"] = None if used is None else used == 0
        controlled = {r["controlled_environment"] for r in rows if -14 <= r["day"] <= 7} - {None}
        row["controlled_admission"] = (True in controlled) if controlled else None
        return row | self._tests(episode, rows)

    @staticmethod
    def _tests(episode: Row, rows: list[Row]) -> Row:
        last = _last_known_day(episode) - episode["start_day"]
        tests: dict[tuple[int, str], set[str]] = defaultdict(set)
        for r in rows:
            if r["source"] in TESTS and r["result"] is not None and 0 <= r["day"] <= last:
                tests[r["day"], r["source"]].add(r["result"])
        counts = dict.fromkeys(("tests_negative", "tests_positive", "tests_excluded", "tests_missed"), 0)
        for results in tests.values():
            if "positive" in results:
                counts["tests_positive"] += 1
            elif "negative" in results:
                counts["tests_negative"] += 1
            elif results & {"missed", "refused"}:
                counts["tests_missed"] += 1
            else:
                counts["tests_excluded"] += 1
        return dict(counts)

    # ---- follow-up

    def _followups(self, episode: Row) -> Row:
        row: Row = {}
        for due_day, window in FOLLOWUP_WINDOWS.items():
            for name, value in self._followup(episode, due_day, window).items():
                row[f"followup_{due_day}_{name}"] = value
        return row

    def _followup(self, episode: Row, due_day: int, window: tuple[int, int]) -> Row:
        nothing: Row = {"reached": None, "abstinent": None, "outcome": None}
        rows = [r for r in self.followup[episode["episode_id"]] if r["due_day"] == due_day]
        if episode["los_days"] is None:
            return nothing
        if not rows:
            over = episode["observed_days"] >= episode["los_days"] + window[1]
            return nothing | {"reached": False if self.collected["followup"] and over else None}
        interviews = []
        for r in rows:
            day = r["attempted_day"] if r["completed_day"] is None else r["completed_day"]
            if r["reached"] and (day is None or window[0] <= day <= window[1]):
                interviews.append((day, r))
        if not interviews:
            recorded = [r["outcome"] for r in rows if r["outcome"] is not None]
            # A death or custody must not hide behind an earlier "no answer".
            return nothing | {
                "reached": False,
                "outcome": max(recorded, key=FOLLOWUP_OUTCOMES.index, default=None),
            }
        interviews.sort(
            key=lambda i: (
                i[0] is None,
                i[0] or 0,
                99 if i[1]["days_abstinent_past_30"] is None else i[1]["days_abstinent_past_30"],
            )
        )
        day, first = interviews[0]
        recorded = [r["outcome"] for _, r in interviews if r["outcome"] is not None]
        abstinent = first["days_abstinent_past_30"]
        abstinent = None if abstinent is None else abstinent == 30
        on = episode["los_days"] + (due_day if day is None else day)
        for r in self.substance_use[episode["episode_id"]]:
            positive = r["source"] in TESTS and r["result"] == "positive"
            if positive and on - 30 <= r["day"] <= on:
                abstinent = False
        return {
            "reached": True,
            "abstinent": abstinent,
            "outcome": min(recorded, key=FOLLOWUP_OUTCOMES.index, default=None),
        }

    # ---- scores

    def _scores_by_owner(self) -> dict[int, list[Row]]:
        """Give every score to one episode, with `day` counted from that episode's admission."""
        episode_of = {e["episode_id"]: e for e in self.tables["episode"]}
        owned: dict[int, list[Row]] = defaultdict(list)
        moved: list[tuple[Row, Row]] = []
        for score in self.tables["score"]:
            filed = episode_of[score["episode_id"]]
            owner = self._owner(score, filed)
            day = filed["start_day"] + score["day"] - owner["start_day"]
            row = score | {"episode_id": owner["episode_id"], "day": day}
            if owner is filed:
                owned[filed["episode_id"]].append(row)
            else:
                moved.append((owner, row))
        for owner, row in moved:
            # One measurement that stands in two files is one measurement.
            if not any(_same_score(row, other) for other in owned[owner["episode_id"]]):
                owned[owner["episode_id"]].append(row)
        return owned

    def _owner(self, score: Row, filed: Row) -> Row:
        on_line = filed["start_day"] + score["day"]
        if filed["start_day"] <= on_line <= _last_known_day(filed):
            return filed
        claims = []
        for episode in self.episodes_of[filed["person_id"]]:
            if score["instrument"] not in self.instruments_of[episode["program_id"]]:
                continue
            start, end = episode["start_day"], _last_known_day(episode)
            window_end = end + 7 if episode["los_days"] is not None else end
            if not start - 14 <= on_line <= window_end:
                continue
            distance = max(start - on_line, on_line - end, 0)
            after_it = on_line > end
            order = (start, episode["episode_id"])
            claims.append((-distance, after_it, episode is filed, order, episode))
        # The nearest; on equal distance the stay that has just ended, then the file's own, then the later one.
        return max(claims, key=lambda claim: claim[:4])[4] if claims else filed

    def _pair(self, episode: Row, instrument: str) -> Row:
        direction = self.direction[instrument]
        end = episode["observed_days"] if episode["los_days"] is None else episode["los_days"] + 7
        scores = [
            s
            for s in self.scores[episode["episode_id"]]
            if s["instrument"] == instrument and -14 <= s["day"] <= end
        ]

        def badness(score: Row) -> float:
            return score["total"] * direction

        def latest(candidates: list[Row]) -> Row:
            """Complete before prorated on one day, then the value that makes the improvement smaller."""
            return max(
                candidates,
                key=lambda s: (
                    s["day"],
                    not s["is_prorated"],
                    badness(s),
                    -1 if s["item_9"] is None else s["item_9"],
                ),
            )

        first = min(
            (s for s in scores if s["day"] <= 7),
            key=lambda s: (
                abs(s["day"]),
                s["day"],
                s["is_prorated"],
                badness(s),
                9 if s["item_9"] is None else s["item_9"],
            ),
            default=None,
        )
        later = [s for s in scores if first is not None and s["day"] > first["day"]]
        last = latest(later) if later else None
        complete = [s for s in scores if not s["is_prorated"]]
        nhs_first = min(complete, key=lambda s: (s["day"], badness(s)), default=None)
        nhs_later = [s for s in complete if nhs_first is not None and s["day"] > nhs_first["day"]]
        row: Row = {
            "first": first and first["total"],
            "last": last and last["total"],
            "first_day": first and first["day"],
            "last_day": last and last["day"],
            "count": len(scores),
            "late_first": first is None and any(s["day"] > 7 for s in scores),
            "nhs_first": nhs_first and nhs_first["total"],
            "nhs_first_day": nhs_first and nhs_first["day"],
            "nhs_last": max(nhs_later, key=lambda s: (s["day"], badness(s)))["total"] if nhs_later else None,
            "item_9_first": first and first["item_9"],
            "item_9_last": last and last["item_9"],
        }
        for week in WEEKS_SHOWN:
            of_week = [s for s in scores if max(0, s["day"] // 7) == week]
            row[f"week_{week}"] = latest(of_week)["total"] if of_week else None
        return row


def _by(rows: list[Row], column: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


def _exit(episode: Row) -> str | None:
    reason = episode["discharge_reason"]
    if episode["los_days"] is None:
        return "active"
    if reason is None:
        return None
    if reason in LEFT_EARLY:
        return "left_early"
    named = {"completed": "completed", "transferred_lower": "stepped_down"}
    return named.get(reason, "transferred_higher" if reason == "transferred_higher" else "other")


def _hours_per_week(episode: Row) -> int | None:
    """Return the hours of a full week at dose; None for levels that have no such threshold."""
    if episode["level_of_care"] == "PHP":
        return 20
    if episode["level_of_care"] == "IOP":
        return 6 if episode["population"] == "adolescent" else 9
    return None


def _last_known_day(episode: Row) -> int:
    """Return the last day of the stay on the person's time line; of an open one, the last day seen."""
    days = episode["observed_days"] if episode["los_days"] is None else episode["los_days"]
    return episode["start_day"] + days


def _same_score(score: Row, other: Row) -> bool:
    return all(score[c] == other[c] for c in ("instrument", "day", "total", "item_9", "is_prorated"))
