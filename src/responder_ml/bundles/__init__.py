"""Frozen models: everything needed to score new samples, in files that run no code when they are read."""
