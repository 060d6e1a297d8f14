"""Loads models that were logged to MLflow before `serve` had its name; MLflow finds their loader here."""

from responder_ml.serve import _load_pyfunc as _load_pyfunc
