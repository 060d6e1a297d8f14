"""The report: one section per file; their order here is the reading order."""

from responder_ml.report.baselines import Baselines
from responder_ml.report.calibration import Calibration
from responder_ml.report.candidates import Candidates
from responder_ml.report.checklist import Checklist
from responder_ml.report.cohort import Cohort
from responder_ml.report.discrimination import Discrimination
from responder_ml.report.genes import Genes
from responder_ml.report.methods import Methods
from responder_ml.report.null import Null
from responder_ml.report.reproduce import Reproduce
from responder_ml.report.section import Section
from responder_ml.report.stability import Stability
from responder_ml.report.subjects import Subjects
from responder_ml.report.verdict import Verdict

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
