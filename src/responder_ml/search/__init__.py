"""Nested search over subjects on shared, ranked features."""
