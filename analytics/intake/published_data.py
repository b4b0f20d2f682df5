"""What an import has made visible, in a few numbers for its report."""

from __future__ import annotations

import duckdb

from analytics.intake.relative import PrivacyMode, period_label
from analytics.intake.report import PublishedData


def published_data(
    connection: duckdb.DuckDBPyConnection, mode: PrivacyMode, data_as_of: str, quiet: tuple[int, int]
) -> PublishedData:
    """Count what table `all_episodes` holds.

    Parameters
    ----------
    data_as_of : the data cut as it may be printed; "" for a source in study days, whose periods are not known.
    quiet : of `quiet_days`, taken while the sessions were still there.
    """
    first, last = (period_label(f"{edge}(admit_date)", mode) if data_as_of else "''" for edge in ("min", "max"))
    row = connection.execute(
        f"select count(*), count(distinct person_key), {first}, {last} from all_episodes"
    ).fetchone()
    episodes, people, first_period, last_period = row or (0, 0, "", "")
    return PublishedData(int(episodes), int(people), first_period, last_period, data_as_of, mode, *quiet)


def quiet_days(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Return the days without an attended session between the first and the last, and all days between them."""
    row = connection.execute(
        "select coalesce(max(session_date) - min(session_date) + 1, 0), count(distinct session_date) "
        "from kept_attendance where status = 'attended'"
    ).fetchone()
    span, days = row or (0, 0)
    return int(span) - int(days), int(span)
