"""Totals that a file may give on either of two scales (WHO-5: 0 to 25, or 0 to 100): which one it is, is never guessed.

The store holds the larger scale. Totals that all fit the raw scale are set aside until a mapping says which they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import duckdb

from analytics.instruments import load_instruments

FileScale = Literal["raw", "percent"]

# What `[scales]` of a mapping may say of an instrument.
FILE_SCALES: Final[tuple[FileScale, ...]] = ("raw", "percent")


def settle_scales(connection: duckdb.DuckDBPyConnection, scales: Mapping[str, FileScale]) -> None:
    """Bring the totals of `stage_scores` to the scale of the store, or refuse them (SCALE_UNKNOWN).

    Parameters
    ----------
    scales : what the mapping says, by instrument. Without a word a file whose largest total is above the raw
        maximum is taken to be on the larger scale.
    """
    for instrument in load_instruments().values():
        scale, said = instrument.scale, scales.get(instrument.id)
        if scale is None or said == "percent":
            continue
        values = {"instrument": instrument.id, "highest": scale.raw_maximum}
        ours = "instrument = $instrument and finding is null"
        if said == "raw":
            connection.execute(
                f"update stage_scores set finding = 'total|SCORE_RANGE|' where {ours} and total > $highest", values
            )
            connection.execute(
                f"update stage_scores set total = total * $factor where {ours}",
                {"instrument": instrument.id, "factor": scale.factor},
            )
        else:
            connection.execute(
                f"update stage_scores set finding = 'total|SCALE_UNKNOWN|' where {ours} "
                f"and (select max(total) from stage_scores where {ours}) <= $highest",
                values,
            )
