"""How many rows an import would accept: the importer's own checks, without a store, and with a key thrown away."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from analytics.intake.checked import CheckedFiles
from analytics.intake.deidentify import KEY_BYTES, Key
from analytics.intake.mapping_model import SourceMapping
from analytics.intake.report import ImportReport
from analytics.intake.sources import open_sources
from analytics.intake.staging import StagingContext, day_number, prepare
