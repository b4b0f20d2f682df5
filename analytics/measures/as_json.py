"""A result as plain data for JSON, field by field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum

from analytics.measures.between_groups import GroupComparison
from analytics.measures.over_time import TimeSeries
from analytics.measures.results import StratifiedResult


def result_as_dict(result: StratifiedResult | TimeSeries | GroupComparison) -> dict[str, object]:
    """Return a result as nested dicts and lists under the names of its fields.

    NaN is None (its reason stands beside it), counts are integers, dates are ISO text, splits and estimators
    are their values. `json.dumps(…, allow_nan=False)` takes it as it is.
    """
    return {field.name: _plain(getattr(result, field.name)) for field in fields(result)}


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
