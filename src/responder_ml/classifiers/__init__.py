"""Two-class classifiers, each with its search space beside it."""

from responder_ml.classifiers.classifier import Classifier
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.classifiers.linear_svm import LinearSVM
from responder_ml.classifiers.majority import Majority
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.classifiers.signature_threshold import SignatureThreshold
from responder_ml.classifiers.xgboost import XGBoost
from responder_ml.registry import Registry

CLASSIFIERS: Registry[Classifier] = Registry(
    "classifier", (ElasticNet, LinearSVM, NearestCentroid, SignatureThreshold, XGBoost, Majority)
)
