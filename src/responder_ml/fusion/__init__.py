"""Several regions of one subject in one model; regions may be missing for some subjects."""
