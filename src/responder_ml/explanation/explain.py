"""What carries a result: genes and modules with their held-out contributions, and which of them are called out."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_ml.arrays import Floats
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.permutation import NullPlan, NullResult
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.explanation.attribution import (
    Contributions,
    FoldExplanation,
    auto_models,
    contributions,
    explain,
    explain_models,
)
from responder_ml.explanation.call_out import call_out
from responder_ml.search.nested import DrawResult, FoldModel

_KEPT = (
    "builder", "signature", "contribution", "support", "direction", "sign_consistency", "contribution_low",
    "contribution_high", "selection_frequency",
)  # fmt: skip


def signature_table(procedure: Procedure, observed: ObservedResult, labels: NDArray[np.int8]) -> pd.DataFrame:
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
    best = np.array(candidates)[np.argmax(np.nan_to_num(result.inner_scores[candidates], nan=0.0), axis=0)]
    return [model for model in result.models if model.candidate == best[model.fold]]


def _by_signature(model: FoldModel) -> FoldExplanation:
    found = explain(model.classifier, model.test_features)
    order = np.argsort(model.columns)
    values = found.values[:, order]
    signed = values * np.sign(model.test_features[:, order])
    return FoldExplanation(model.repeat, model.fold, model.test_rows, found.base, model.columns[order], values, signed)


@dataclass(frozen=True)
class RunExplanation:
    """What carries a result.

    Attributes
    ----------
    explained
        Auto's outer models, explained on the rows they did not see.
    contributions
        The same gathered by gene.
    genes, modules, signatures
        The run's tables of these names.
    """

    explained: tuple[FoldExplanation, ...] = field(repr=False)
    contributions: Contributions = field(repr=False)
    genes: pd.DataFrame = field(repr=False)
    modules: pd.DataFrame = field(repr=False)
    signatures: pd.DataFrame = field(repr=False)


def explain_run(
    procedure: Procedure,
    observed: ObservedResult,
    labelled: LabelledCohort,
    log2: Floats,
    plan: NullPlan,
    whole: NullResult | None,
) -> RunExplanation:
    """Explain the outer models on held-out rows, gather by gene and by module, and call out what luck does not explain.

    Parameters
    ----------
    procedure, observed
        The procedure, and what it found on the observed labels.
    labelled
        Labels and strata.
    log2
        Log2 expression, samples x genes, for the modules.
    plan, whole
        As for `call_out`.
    """
    explained = explain_models(auto_models(observed.results))
    called = call_out(procedure, observed, labelled, log2, plan, whole)
    grouping = called.found.grouping
    of_genes = contributions(explained, labelled.genes, labelled.sample_labels)
    of_modules = contributions(explained, grouping.names, labelled.sample_labels, grouping.signs)
    return RunExplanation(
        tuple(explained),
        of_genes,
        called.mark(of_genes.table()),
        called.mark_modules(of_modules.table()),
        signature_table(procedure, observed, labelled.sample_labels),
    )
