"""Two-class classifiers, each with its search space beside it."""

from importlib.util import find_spec

from responder_ml.classifiers.classifier import Classifier
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.classifiers.in_context import InContext
from responder_ml.classifiers.linear_svm import LinearSVM
from responder_ml.classifiers.majority import Majority
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.classifiers.signature_threshold import SignatureThreshold
from responder_ml.classifiers.xgboost import XGBoost
from responder_ml.registry import Registry

# Without the extra it is not there, and whoever asks for it is told how to install it.
_OPTIONAL: tuple[type[Classifier], ...] = (InContext,) if find_spec("geneicl") is not None else ()

CLASSIFIERS: Registry[Classifier] = Registry(
    "classifier",
    (ElasticNet, LinearSVM, NearestCentroid, SignatureThreshold, XGBoost, Majority, *_OPTIONAL),
    extras={InContext.name: "geneicl"},
)
