"""A few numbers of a bundle in which every array has its say, to be compared whenever it is read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from responder_ml.evaluation.applicability import Reference
from responder_ml.evaluation.batch_alignment import BatchReference
from responder_ml.evaluation.conformal import HeldOut
from responder_ml.evaluation.marker_check import MarkerCheck
from responder_ml.evaluation.outer_rows import OuterRows
from responder_ml.search.prefix_model import PrefixModel

# Library versions may differ in the last digits of a sum, not more.
_SAME = 1e-6


def check_values(
    models: Sequence[PrefixModel],
    reference: Reference,
    held_out: HeldOut | None,
    outer: OuterRows | None,
    markers: MarkerCheck | None,
    batch: BatchReference | None,
) -> dict[str, float]:
    """Return what the typical training sample gets, and the limits: every array has its say in one of these numbers."""
    typical = reference.typical[None]
    everything = np.ones(len(reference.typical), dtype=np.bool_)
    # A doctored reference may hold values no logarithm takes; the comparison with the manifest then fails.
    with np.errstate(all="ignore"):
        log_odds = np.concatenate([model.decision_function(typical) for model in models])
        values = {
            "log_odds": log_odds[0],
            "outer_log_odds": log_odds[1:].sum(),
            "correlation": np.nan_to_num(reference.correlate(typical, everything)[0]),
            "distance": reference.measure(models[0].standardised(typical))[0],
            "distance_percentile": reference.percentile(np.array([reference.greatest_distance]))[0],
            "least_correlation": reference.least_correlation,
            "greatest_distance": reference.greatest_distance,
            "least_library": reference.least_library,
            "p_values": 0.0 if held_out is None else float(np.sum(held_out.p_values(log_odds[:1]))),
        }
        if outer is not None:
            decisions = outer.decisions(models[1:], everything, "impute")
            values["outer_rows"] = np.sum(decisions * (1 + outer.label) * (1 + outer.subject))
            values["outer_auroc"] = outer.auroc(models[1:], everything, "impute")
        if markers is not None:
            values["markers"] = markers.check(typical)
        if batch is not None:
            values["batch"] = batch.check()
    return {name: float(value) for name, value in values.items()}


def same_values(found: Mapping[str, float], expected: Mapping[str, Any]) -> bool:
    """Tell whether names and order agree, and numbers but for their last digits."""
    return list(found) == list(expected) and all(
        isinstance(expected[name], int | float) and abs(value - expected[name]) <= _SAME * (1.0 + abs(value))
        for name, value in found.items()
    )
