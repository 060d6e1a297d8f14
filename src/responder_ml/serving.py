"""Loads models that were logged to MLflow when `serve` was called `serving`: they name this module as their loader."""

from responder_ml.serve import _load_pyfunc as _load_pyfunc
