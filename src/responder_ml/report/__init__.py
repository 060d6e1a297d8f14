"""The report: sections grouped in files by subject; their order here is the reading order."""

from responder_ml.report.cohort import Cohort
from responder_ml.report.discrimination import Calibration, Candidates, Discrimination
from responder_ml.report.genes import Genes, Stability
from responder_ml.report.methods import Checklist, Methods, Reproduce
from responder_ml.report.section import Section
from responder_ml.report.subjects import Subjects
from responder_ml.report.verdict import Baselines, Null, Verdict

SECTIONS: tuple[Section, ...] = (
    Verdict(),
    Cohort(),
    Null(),
    Discrimination(),
    Baselines(),
    Calibration(),
    Candidates(),
    Genes(),
    Stability(),
    Subjects(),
    Methods(),
    Checklist(),
    Reproduce(),
)
"""Sections in reading order."""
