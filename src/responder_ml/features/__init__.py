"""From expression to named feature columns: normalisation, filter, builders and signature scorers."""
