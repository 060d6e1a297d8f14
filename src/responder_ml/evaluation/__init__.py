"""What a result is worth: metrics, nulls, baselines, intervals, power and the verdict."""
