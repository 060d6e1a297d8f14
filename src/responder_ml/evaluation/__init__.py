"""The evidence in a result: metrics, nulls, baselines, intervals, power and the verdict."""
