"""Tracking: a run as typed items, the one file that knows MLflow, and its page in the browser."""
