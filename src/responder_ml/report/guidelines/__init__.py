"""Reporting guidelines a run can fill in part."""

from responder_ml.report.guidelines.dome import DOME
from responder_ml.report.guidelines.item import Guideline
from responder_ml.report.guidelines.leakage import LEAKAGE
from responder_ml.report.guidelines.reforms import REFORMS
from responder_ml.report.guidelines.tripod_ai import TRIPOD_AI

GUIDELINES: tuple[Guideline, ...] = (REFORMS, TRIPOD_AI, DOME, LEAKAGE)
"""In the order they are printed."""
