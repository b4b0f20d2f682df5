"""A second, independent reading of the outcome rules: plain Python, row by row, no SQL and no cleverness.

Two engines that run one text agree on its mistakes. This twin was written from the rules, not from
`outcome_sql`, and compares every column of the outcome tables on random data
(tests/property/test_outcomes_twin.py). When it and the SQL differ, the rules decide, not either of them.
"""

from tests.spec.twin_events import EventTwin
from tests.spec.twin_satisfaction import invitations
from tests.spec.twin_scores import ScoreTwin
from tests.spec.twin_stay import Row, Tables, by_column, exit_day_of, exit_of, last_known_day

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


class OutcomeTwin:
    """The outcome tables of a set of complete row tables (`tests.spec.row_tables.complete`)."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.collected = tables["collected"][0]
        self.attendance = by_column(tables["attendance"], "episode_id")
        # A program of which nobody has a row did not record attendance.
        self.with_attendance = {e["program_id"] for e in tables["episode"] if self.attendance.get(e["episode_id"])}
        self.requests = by_column(tables["referral"], "episode_id")
        self.episodes_of = {
            person: sorted(episodes, key=lambda e: (e["start_day"], e["episode_id"]))
            for person, episodes in by_column(tables["episode"], "person_id").items()
        }
        self.events = EventTwin(tables)
        self.scores = ScoreTwin(tables)

    # ---- the tables

    def episode_outcome(self) -> list[Row]:
        """One row per episode."""
        rows = []
        for episode in self.tables["episode"]:
            row = self._cohort(episode) | {"baseline_severity": self._severity_of_program(episode)}
            row |= {
                "paperwork_lag": None if row["exit_day"] is None else episode["los_days"] - row["exit_day"],
                "wait_days": self._wait(episode),
            }
            row |= self._course(episode) | self._attendance(episode)
            row |= self._composite(episode)
            row |= self.events.acute(episode) | self.events.substance(episode)
            row |= self.events.from_hospital(episode, self.episodes_of[episode["person_id"]])
            row |= self.events.followups(episode)
            rows.append(row)
        return rows

    def _wait(self, episode: Row) -> int | None:
        """Of several requests before a stay the earliest not more than 60 days before; else what else is known."""
        asked = [r["days_to_admission"] for r in self.requests[episode["episode_id"]]]
        usual = [days for days in asked if days <= 60]
        if usual:
            return max(usual)
        return min(asked, default=None) if episode["wait_days"] is None else episode["wait_days"]

    def _composite(self, episode: Row) -> Row:
        """Complete first and last of the two questionnaires of the NHS composite."""
        asks_both = {"phq9", "gad7"} <= self.scores.instruments_of[episode["program_id"]]
        row: Row = {"uses_nhs_pair": asks_both}
        for kind, instrument in (("depression", "phq9"), ("anxiety", "gad7")):
            pair = self.scores.pair(episode, instrument) if asks_both else {}
            row[f"nhs_{kind}_first"], row[f"nhs_{kind}_last"] = pair.get("nhs_first"), pair.get("nhs_last")
        return row

    def score_outcome(self) -> list[Row]:
        """One row per episode and instrument that its program uses."""
        rows = []
        for episode in self.tables["episode"]:
            attended_days = self._attendance(episode)["attended_days"]
            for instrument in sorted(self.scores.instruments_of[episode["program_id"]]):
                pair = self.scores.pair(episode, instrument)
                row = self._cohort(episode)
                row |= {
                    "baseline_severity": self._band(instrument, pair["first"]),
                    "instrument": instrument,
                    "direction": self.scores.direction[instrument],
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
            weeks = by_column([r | {"week": r["day"] // 7} for r in self.attendance[episode["episode_id"]]], "week")
            for week, sessions in weeks.items():
                attended = [s for s in sessions if s["status"] == "attended"]
                minutes = _minutes(attended)
                booked = ("attended", "no_show", "cancelled_client")
                counted = [s for s in sessions if not self.events.missed_in_hospital(episode, s)]
                rows.append(
                    {
                        "episode_id": episode["episode_id"],
                        "week": week,
                        "attended_days": len({s["day"] for s in attended}),
                        "attended_sessions": len(attended),
                        "attended_minutes": minutes,
                        "no_show_sessions": sum(s["status"] == "no_show" for s in counted),
                        "scheduled_sessions": sum(s["status"] in booked for s in counted),
                        "is_full": week * 7 + 6 <= end,
                        "at_dose": None if hours is None else _has_hours(attended, hours),
                    }
                )
        return rows

    def referral_outcome(self) -> list[Row]:
        """One row per request for help."""
        stays = {episode["episode_id"]: episode for episode in self.tables["episode"]}
        rows = []
        for referral in self.tables["referral"]:
            kept = ("referral_id", "person_id", "episode_id", "source", "decision", "is_repeat", "observed_days")
            row: Row = {column: referral[column] for column in kept}
            row |= {"period": referral["referral_period"], "days_to_first_session": None, "knows_first_session": True}
            if referral["episode_id"] is not None:
                stay = stays[referral["episode_id"]]
                row["period"] = stay["admit_period"]
                attendance = self._attendance(stay)
                row["knows_first_session"] = attendance["attended_sessions"] is not None
                came = attendance["first_attended_day"]
                if came is not None:
                    row["days_to_first_session"] = referral["days_to_admission"] + came
            rows.append(row)
        return rows

    def satisfaction_outcome(self) -> list[Row]:
        """One row per answer, and one for all alike without one."""
        return invitations(self.tables["satisfaction"])

    # ---- cohort columns

    def _cohort(self, episode: Row) -> Row:
        row = {column: episode[column] for column in COHORT_COLUMNS}
        person = self.episodes_of[episode["person_id"]]
        return row | {
            "exit_day": self._exit_day(episode),
            "is_closed": episode["los_days"] is not None,
            "exit": exit_of(episode),
            "dose_band": self._dose_band(episode),
            "person_sequence": 1 + [e["episode_id"] for e in person].index(episode["episode_id"]),
        }

    def _exit_day(self, episode: Row) -> int | None:
        return exit_day_of(episode, self.attendance[episode["episode_id"]])

    def _dose_band(self, episode: Row) -> str | None:
        if not self.attendance[episode["episode_id"]]:
            return None
        facts = self._attendance(episode)
        if facts["full_weeks"] == 0 or facts["weeks_at_dose"] is None:
            return None
        if facts["weeks_at_dose"] == 0:
            return "none"
        if facts["weeks_at_dose"] == facts["full_weeks"]:
            return "every week"
        return "under half" if 2 * facts["weeks_at_dose"] < facts["full_weeks"] else "half or more"

    def _severity_of_program(self, episode: Row) -> str | None:
        used = self.scores.instruments_of[episode["program_id"]]
        instrument = next((name for name in ("phq9", "phqa", "gad7") if name in used), None)
        if instrument is None:
            return None
        return self._band(instrument, self.scores.pair(episode, instrument)["first"])

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
            last_day = max(last_day, last_known_day(other))
            seen.append((other["episode_id"], course, step))
        mine = next(entry for entry in seen if entry[0] == episode["episode_id"])
        person = self.episodes_of[episode["person_id"]]
        later = person[[e["episode_id"] for e in person].index(episode["episode_id"]) + 1 :]
        days = None
        if later and episode["los_days"] is not None:
            days = later[0]["start_day"] - episode["start_day"] - episode["los_days"]
        is_last = mine[2] == max(entry[2] for entry in seen if entry[1] == mine[1])
        # Back to a program of this course, in a later one; only the stay that ended the course is asked.
        courses = {entry[0]: entry[1] for entry in seen}
        programs = {e["program_id"] for e in person if courses[e["episode_id"]] == mine[1]}
        returns = [e for e in person if courses[e["episode_id"]] > mine[1] and e["program_id"] in programs]
        until_return = None
        if is_last and returns and episode["los_days"] is not None:
            until_return = returns[0]["start_day"] - episode["start_day"] - episode["los_days"]
        return {
            "course": mine[1],
            "course_step": mine[2],
            "is_course_last": is_last,
            "days_to_next_episode": None if days is None or days < 0 else days,
            "days_to_return": until_return,
        }

    # ---- attendance

    def _end_of_weeks(self, episode: Row) -> int:
        exit_day = self._exit_day(episode)
        return episode["observed_days"] if exit_day is None else exit_day

    def _attendance(self, episode: Row) -> Row:
        rows = self.attendance[episode["episode_id"]]
        attended = [r for r in rows if r["status"] == "attended"]
        in_hospital = [r for r in rows if self.events.missed_in_hospital(episode, r)]
        counted = [r for r in rows if r not in in_hospital]
        client = [r for r in counted if r["status"] == "cancelled_client"]
        days = sorted({r["day"] for r in attended})
        full_weeks = 0
        while full_weeks * 7 + 6 <= self._end_of_weeks(episode):
            full_weeks += 1
        hours = _hours_per_week(episode)
        weeks_at_dose = None
        if hours is not None:
            weeks = [[r for r in attended if week * 7 <= r["day"] <= week * 7 + 6] for week in range(full_weeks)]
            at_dose = [_has_hours(sessions, hours) for sessions in weeks]
            weeks_at_dose = None if None in at_dose else at_dose.count(True)
        facts: Row = {
            "attended_sessions": len(attended),
            "no_show_sessions": sum(r["status"] == "no_show" for r in counted),
            "cancelled_client_sessions": len(client),
            "cancelled_late_sessions": sum(
                r["cancel_notice_hours"] is not None and r["cancel_notice_hours"] < 24 for r in client
            ),
            "notice_recorded_sessions": sum(r["cancel_notice_hours"] is not None for r in client),
            "cancelled_program_sessions": sum(r["status"] == "cancelled_program" for r in rows),
            "hospital_sessions": len(in_hospital) if self.collected["acute_event"] else None,
            "attended_days": len(days),
            "attended_minutes": _minutes(attended),
            "first_attended_day": days[0] if days else None,
            "last_attended_day": days[-1] if days else None,
            "early_attended_days": sum(1 <= day - days[0] <= 34 for day in days),
            "full_weeks": full_weeks,
            "weeks_at_dose": weeks_at_dose,
            "full_week_minutes": _minutes([r for r in attended if r["day"] < 7 * full_weeks]),
        }
        for kind in ("group", "individual", "family", "medication", "other"):
            # Of a stay all minutes are known, or none.
            of_kind = [r for r in attended if r["session_type"] == kind]
            facts[f"{kind}_minutes"] = None if facts["attended_minutes"] is None else _minutes(of_kind)
        if not rows and not (self.collected["attendance"] and episode["program_id"] in self.with_attendance):
            return dict.fromkeys(facts)
        return facts


def _minutes(attended: list[Row]) -> int | None:
    """Return the minutes of attended sessions; not known when one of them has none."""
    minutes = [session["minutes"] for session in attended]
    return None if None in minutes else sum(minutes)


def _has_hours(attended: list[Row], hours: int) -> bool | None:
    """Return whether a week has its hours; a session without minutes leaves it open unless the others suffice."""
    if sum(session["minutes"] or 0 for session in attended) >= hours * 60:
        return True
    return None if any(session["minutes"] is None for session in attended) else False


def _hours_per_week(episode: Row) -> int | None:
    """Return the hours of a full week at dose; None for levels that have no such threshold."""
    if episode["level_of_care"] == "PHP":
        return 20
    if episode["level_of_care"] == "IOP":
        return 6 if episode["population"] == "adolescent" else 9
    return None
