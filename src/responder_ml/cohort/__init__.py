"""Cohorts: expression and sample sheet read, checked, simulated and audited."""
