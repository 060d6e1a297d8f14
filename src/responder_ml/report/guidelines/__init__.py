"""Reporting guidelines that a run can answer in part, one YAML file each."""

from responder_ml.report.guidelines.guideline import Guideline, read_guideline

GUIDELINES: tuple[Guideline, ...] = tuple(
    map(read_guideline, ("reforms", "tripod_ai", "probast_ai", "dome", "leakage"))
)
"""In the order they are printed."""
