"""What models of signatures rely on, signature by signature, whether or not auto took such a model.

Of each builder whose features are signatures, the model that wins the inner folds is explained in every outer fold: what auto would
have taken had there been no other builder.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_ml.evaluation.procedure import Observed, Procedure
from responder_ml.explanation.attribution import HeldOut, contributions, explain
from responder_ml.search.nested import DrawResult, FoldModel

_KEPT = (
    "builder", "signature", "contribution", "support", "direction", "sign_consistency", "contribution_low",
    "contribution_high", "selection_frequency",
)  # fmt: skip


def signature_table(procedure: Procedure, observed: Observed, labels: NDArray[np.int8]) -> pd.DataFrame:
    """Return held-out contributions of signatures, one row for each builder and signature, largest first.

    Parameters
    ----------
    procedure, observed
        The procedure, and what it found on the observed labels.
    labels
        Label of each sample, 0 or 1.
    """
    parts = []
    for builder in dict.fromkeys(each.builder_name for each in procedure.candidates):
        names = procedure.signature_names(builder)
        if names is None:
            continue
        own = [index for index, each in enumerate(procedure.candidates) if each.builder_name == builder]
        models = [model for result in observed.results for model in _winners(result, own)]
        found = contributions([_by_signature(model) for model in models], names, labels)
        parts.append(found.table().rename(columns={"gene": "signature"}).assign(builder=builder))
    if not parts:
        return pd.DataFrame(columns=list(_KEPT))
    table = pd.concat(parts, ignore_index=True)[list(_KEPT)]
    return table.sort_values("contribution", ascending=False, kind="stable", ignore_index=True)


def _winners(result: DrawResult, candidates: list[int]) -> list[FoldModel]:
    """Return, for every outer fold, the model of some candidates with the best inner objective, the earlier of equals."""
    best = np.array(candidates)[np.argmax(np.nan_to_num(result.inner[candidates], nan=0.0), axis=0)]
    return [model for model in result.models if model.candidate == best[model.fold]]


def _by_signature(model: FoldModel) -> HeldOut:
    found = explain(model.classifier, model.test)
    order = np.argsort(model.columns)
    values = found.values[:, order]
    signed = values * np.sign(model.test[:, order])
    return HeldOut(model.repeat, model.fold, model.test_rows, found.base, model.columns[order], values, signed)
