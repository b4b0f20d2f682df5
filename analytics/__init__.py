"""Outcomes of intensive outpatient programs, computed from a de-identified store."""

__version__ = "0.1.0"
