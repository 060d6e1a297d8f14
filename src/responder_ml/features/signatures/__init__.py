"""Signature scorers: frozen estimators that turn log2 expression into one score per sample and signature."""

from responder_ml.features.signatures.aucell import AUCell
from responder_ml.features.signatures.eigengene import Eigengene
from responder_ml.features.signatures.mean_z import MeanZ
from responder_ml.features.signatures.scorer import SignatureScorer
from responder_ml.features.signatures.singscore import Singscore
from responder_ml.features.signatures.ssgsea import SsGsea
from responder_ml.features.signatures.ulm import Ulm
from responder_ml.features.signatures.weighted_projection import WeightedProjection
from responder_ml.registry import Registry

SCORERS: Registry[SignatureScorer] = Registry(
    "scorer", (Singscore, MeanZ, Ulm, SsGsea, Eigengene, AUCell, WeightedProjection)
)
