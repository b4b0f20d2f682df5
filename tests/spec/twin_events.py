"""The part of the twin about what happens around a stay: acute stays, substance use, follow-up."""

from collections import defaultdict

from tests.spec.twin_stay import Row, Tables, by_column, exit_day_of, exit_of, last_known_day

SUD_CONDITIONS = ("alcohol", "opioid", "stimulant", "cannabis", "co_occurring")
ACUTE = ("inpatient", "residential", "detox")
TESTS = ("urine", "breath", "oral")
FOLLOWUP_WINDOWS = {30: (21, 45), 90: (75, 120), 180: (150, 240), 365: (335, 425)}


class EventTwin:
    """Columns of one episode that come from acute_event, capture, substance_use and followup."""

    def __init__(self, tables: Tables) -> None:
        self.collected = tables["collected"][0]
        self.attendance = by_column(tables["attendance"], "episode_id")
        self.substance_use = by_column(tables["substance_use"], "episode_id")
        self.followup = by_column(tables["followup"], "episode_id")
        self.acute_event = by_column(tables["acute_event"], "person_id")
        self.capture = by_column(tables["capture"], "person_id")

    # ---- hospital, residential and detox stays

    def acute(self, episode: Row) -> Row:
        columns = (
            "readmission_day",
            "direct_transfer",
            "direct_transfer_end_day",
            "planned_admission_day",
            "step_up_day",
            "captured_days",
        )
        exit_day = exit_day_of(episode, self.attendance[episode["episode_id"]])
        if not self.collected["acute_event"]:
            return dict.fromkeys(columns)
        stays = [r for r in self.acute_event[episode["person_id"]] if r["level_of_care"] in ACUTE]
        if exit_day is None:
            # Still in the program: nothing has come after it, but a stay during it is seen.
            since = [r["start_day"] - episode["start_day"] for r in stays]
            seen = [day for day in since if 1 <= day <= episode["observed_days"]]
            return dict.fromkeys(columns) | {"step_up_day": min(seen, default=None)}
        transfer_days = (0, 1) if exit_of(episode) == "transferred_higher" else (0,)
        exit_on_line = episode["start_day"] + exit_day
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

    def missed_in_hospital(self, episode: Row, session: Row) -> bool:
        """True for a session that the person missed or cancelled on a day in hospital, both ends included."""
        if not self.collected["acute_event"] or session["status"] not in ("no_show", "cancelled_client"):
            return False
        day = episode["start_day"] + session["day"]
        for stay in self.acute_event[episode["person_id"]]:
            if stay["level_of_care"] not in ACUTE or stay["start_day"] > day:
                continue
            if stay["end_day"] is not None:
                if day <= stay["end_day"]:
                    return True
            elif day == stay["start_day"]:
                return True
            elif stay["start_day"] >= episode["start_day"]:
                # No end: they were there until the end of this stay, unless they came again.
                came = [r["day"] for r in self.attendance[episode["episode_id"]] if r["status"] == "attended"]
                if not any(episode["start_day"] + day > stay["start_day"] for day in came):
                    return True
        return False

    def from_hospital(self, episode: Row, episodes: list[Row]) -> Row:
        """The last hospital stay that this admission of the person is the first one after, if within 30 days.

        `episodes` are all of the person's in the order of admission.
        """
        columns = ("days_since_inpatient", "inpatient_to_session")
        days = []
        for stay in self.acute_event[episode["person_id"]]:
            if stay["level_of_care"] != "inpatient" or stay["end_day"] is None:
                continue
            later = [e for e in episodes if e["start_day"] >= stay["end_day"]]
            if later and later[0] is episode and episode["start_day"] - stay["end_day"] <= 30:
                days.append(episode["start_day"] - stay["end_day"])
        if not days or not self.collected["acute_event"]:
            return dict.fromkeys(columns)
        attended = [r["day"] for r in self.attendance[episode["episode_id"]] if r["status"] == "attended"]
        since = [min(days) + day for day in attended if min(days) + day > 0]
        return dict(zip(columns, (min(days), min(since, default=None)), strict=True))

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

    def substance(self, episode: Row) -> Row:
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
                    "tests_scheduled_negative",
                    "tests_scheduled_positive",
                    "tests_random_negative",
                    "tests_random_positive",
                    "use_pattern",
                )
            )
        reports = [(r["day"], r["days_used_past_30"]) for r in rows if r["days_used_past_30"] is not None]
        admission = [(day, used) for day, used in reports if -14 <= day <= 7]
        admission.sort(key=lambda report: (abs(report[0]), report[0], -report[1]))
        discharge: list[tuple[int, int]] = []
        if episode["los_days"] is not None:
            left = episode["los_days"]
            discharge = [(day, used) for day, used in reports if day > 7 and left - 14 <= day <= left + 7]
            discharge.sort(key=lambda report: (-report[0], -report[1]))
        row["days_used_admission"] = admission[0][1] if admission else None
        row["days_used_discharge"] = discharge[0][1] if discharge else None
        for when in ("admission", "discharge"):
            used = row[f"days_used_{when}"]
            row[f"abstinent_{when}"] = None if used is None else used == 0
        controlled = {r["controlled_environment"] for r in rows if -14 <= r["day"] <= 7} - {None}
        row["controlled_admission"] = (True in controlled) if controlled else None
        row |= self._tests(episode, rows) | self._booked_and_random(episode, rows)
        return row | {"use_pattern": self._pattern(episode, rows)}

    def _pattern(self, episode: Row, rows: list[Row]) -> str | None:
        """One sign per week: look at each week of the stay by itself."""
        end = exit_day_of(episode, self.attendance[episode["episode_id"]])
        end = episode["observed_days"] if end is None else end
        weeks = max(1, -(-end // 7))
        signs = ["_"] * weeks
        tests: dict[tuple[int, str], set[str]] = defaultdict(set)
        for r in rows:
            if r["source"] in TESTS and r["result"] is not None and 0 <= r["day"] <= end:
                tests[r["day"], r["source"]].add(r["result"])
        for week in range(weeks):
            mine = [results for (day, _), results in tests.items() if min(day // 7, weeks - 1) == week]
            positive = any("positive" in results for results in mine)
            negative = any("negative" in results and "positive" not in results for results in mine)
            missed = any(results & {"missed", "refused"} for results in mine)
            signs[week] = (
                "*" if positive and negative else "+" if positive else "-" if negative else "o" if missed else "_"
            )
        return "".join(signs) if tests else None

    @staticmethod
    def _tests(episode: Row, rows: list[Row]) -> Row:
        last = last_known_day(episode) - episode["start_day"]
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

    @staticmethod
    def _booked_and_random(episode: Row, rows: list[Row]) -> Row:
        """Count the tests with a result by whether somebody wrote that they were booked, or that they were not."""
        last = last_known_day(episode) - episode["start_day"]
        counts = {
            f"tests_{kind}_{result}": 0 for kind in ("scheduled", "random") for result in ("negative", "positive")
        }
        for day, source in {(r["day"], r["source"]) for r in rows if r["source"] in TESTS and 0 <= r["day"] <= last}:
            parts = [r for r in rows if (r["day"], r["source"]) == (day, source) and r["result"] is not None]
            results, said = {r["result"] for r in parts}, {r["scheduled"] for r in parts}
            kind = "scheduled" if True in said else "random" if False in said else None
            result = "positive" if "positive" in results else "negative" if "negative" in results else None
            if kind and result:
                counts[f"tests_{kind}_{result}"] += 1
        return dict(counts)

    # ---- follow-up

    def followups(self, episode: Row) -> Row:
        row = self._relapse(episode)
        row |= {
            "consent_followup": episode["consent_followup"],
            "employed_admission": episode["employed_at_admission"],
            "housed_admission": episode["stable_housing_at_admission"],
            "arrested_admission": episode["arrested_past_30_at_admission"],
        }
        for due_day, window in FOLLOWUP_WINDOWS.items():
            for name, value in self._followup(episode, due_day, window).items():
                row[f"followup_{due_day}_{name}"] = value
        return row | {"gpra_reached": self._gpra(episode)}

    def _gpra(self, episode: Row) -> bool | None:
        """True when some interview was held 150 to 245 days after admission; None when no call was made then."""
        if episode["los_days"] is None:
            return None
        answers = set()
        for r in self.followup[episode["episode_id"]]:
            days = [r[name] for name in ("completed_day", "attempted_day", "due_day") if r[name] is not None]
            if 150 <= episode["los_days"] + days[0] <= 245:
                answers.add(r["reached"])
        return True in answers if answers else None

    def _interview(self, episode: Row, due_day: int) -> Row | None:
        """Return the valid interview of one call with its day after discharge (`on`), None when there was none."""
        first, last = FOLLOWUP_WINDOWS[due_day]
        for r in self.followup[episode["episode_id"]]:
            day = r["attempted_day"] if r["completed_day"] is None else r["completed_day"]
            if r["due_day"] == due_day and r["reached"] and (day is None or first <= day <= last):
                return {**r, "on": due_day if day is None else day}
        return None

    def _relapse(self, episode: Row) -> Row:
        """First sign of use after leaving, last contact without one, and no use at all up to half a year."""
        row: Row = {"first_use_day": None, "last_clean_day": None, "followup_180_continuous": None}
        row |= dict.fromkeys(f"followup_180_{name}" for name in ("employed", "housed", "arrested", "meetings"))
        if episode["los_days"] is None:
            return row
        use: list[int] = []
        clean: list[int] = []
        for r in self.substance_use[episode["episode_id"]]:
            after = r["day"] - episode["los_days"]
            if r["source"] in TESTS and after > 0 and r["result"] in ("positive", "negative"):
                (use if r["result"] == "positive" else clean).append(after)
        for due_day in FOLLOWUP_WINDOWS:
            held = self._interview(episode, due_day)
            if held is None:
                continue
            on, said, abstinent = held["on"], held["any_use_since_discharge"], held["days_abstinent_past_30"]
            used = None if abstinent is None else 30 - abstinent
            before_leaving = max(0, 30 - on)  # as many of the 30 days lie before discharge
            if said or (used is not None and used > before_leaving):
                use.append(on)
            elif said is False or (used == 0 and on <= 30):
                clean.append(on)
            if due_day == 180:
                row["followup_180_continuous"] = True if said is False else None
                for name, column in (("employed", "employed"), ("housed", "stable_housing"), ("arrested", "arrested")):
                    row[f"followup_180_{name}"] = held[column]
                meetings = held["recovery_meetings"]
                row["followup_180_meetings"] = None if meetings is None else meetings > 0
        row |= {"first_use_day": min(use, default=None), "last_clean_day": max(clean, default=None)}
        # Seen to have used by the last day on which the call could be held: known, reached or not.
        if any(day <= FOLLOWUP_WINDOWS[180][1] for day in use):
            row["followup_180_continuous"] = False
        return row

    def _followup(self, episode: Row, due_day: int, window: tuple[int, int]) -> Row:
        nothing: Row = {"reached": None, "abstinent": None, "outcome": None, "controlled": None}
        rows = [r for r in self.followup[episode["episode_id"]] if r["due_day"] == due_day]
        if episode["los_days"] is None:
            return nothing
        if not rows:
            over = episode["observed_days"] >= episode["los_days"] + window[1]
            return nothing | {"reached": False if self.collected["followup"] and over else None}
        held = self._interview(episode, due_day)
        if held is None:
            # An interview held at another time was about another month.
            controlled = None if rows[0]["reached"] else rows[0]["controlled_environment"]
            return nothing | {"reached": False, "outcome": rows[0]["outcome"], "controlled": controlled}
        abstinent = held["days_abstinent_past_30"]
        if abstinent is None:
            # The time since leaving and the last 30 days: use in the shorter one was in the longer one, too.
            if held["any_use_since_discharge"] is True and held["on"] <= 30:
                abstinent = False
            elif held["any_use_since_discharge"] is False and held["on"] >= 30:
                abstinent = True
        else:
            abstinent = abstinent == 30
        on = episode["los_days"] + held["on"]
        for r in self.substance_use[episode["episode_id"]]:
            positive = r["source"] in TESTS and r["result"] == "positive"
            if positive and on - 30 <= r["day"] <= on:
                abstinent = False
        return {
            "reached": True,
            "abstinent": abstinent,
            "outcome": held["outcome"],
            "controlled": held["controlled_environment"],
        }
