"""The numbers of the demo, worked out measure by measure, for the document of definitions."""

from __future__ import annotations

import tempfile
from pathlib import Path

from analytics.demo import write_raw
from analytics.intake.deidentify import DEMO_KEY, Key
from analytics.intake.importer import ImportRequest, run_import
from analytics.measures.types import Cohort
from analytics.reports.worked import worked_example
from analytics.session import Session, local_viewer


def worked_examples() -> dict[str, str]:
    """Return a sentence by the name of every measure that the demo can have, from the demo as it is installed."""
    with tempfile.TemporaryDirectory(prefix="iop-docs-") as folder:
        raw, store = Path(folder) / "raw", Path(folder) / "store"
        raw.mkdir()
        facts = write_raw(raw)
        run_import(
            ImportRequest(
                folder=raw,
                store=store,
                privacy_mode="synthetic",
                key=Key(DEMO_KEY, None),
                data_cut=facts.data_cut,
                import_date=facts.import_date,
            )
        )
        view = Session(store).view(local_viewer(), "data")
        measures = view.definitions()
        shown = zip(measures, view.results(measures, Cohort()), strict=True)
        return {measure.name: worked_example(result) for measure, result in shown}
