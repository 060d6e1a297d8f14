"""Regressors for graded outcomes, each with its search space beside it."""

from responder_ml.registry import Registry
from responder_ml.regressors.elastic_net import ElasticNetRegressor
from responder_ml.regressors.regressor import Regressor
from responder_ml.regressors.ridge import RidgeRegressor
from responder_ml.regressors.xgboost import XGBoostRegressor

REGRESSORS: Registry[Regressor] = Registry("regressor", (RidgeRegressor, ElasticNetRegressor, XGBoostRegressor))
