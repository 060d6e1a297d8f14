"""What a result rests on: genes, modules and signatures with their held-out contributions, and which of them are called out.

Signatures are explained whether or not auto chose a model of signatures. Of each builder whose features are signatures, the model
that wins the inner folds is explained in every outer fold: the one auto would have chosen had there been no other builder.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats, Labels
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.permutation import NullPlan, NullResult
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.explanation.attribution import (
    Contributions,
    FoldExplanation,
    auto_models,
    explain_models,
    gather_contributions,
    shap_values,
)
from responder_ml.explanation.call_out import call_out
from responder_ml.search.draw import DrawResult, FoldModel

_SIGNATURE_COLUMNS = (
    "builder", "signature", "contribution", "support", "direction", "sign_consistency", "contribution_low",
    "contribution_high", "selection_frequency",
)  # fmt: skip


@dataclass(frozen=True)
class RunExplanation:
    """What a result rests on.

    Attributes
    ----------
    folds
        The outer models that auto chose, explained on the rows they did not see.
    contributions
        The same, gene by gene over all repeats.
    genes, modules, signatures
        The run's tables of these names.
    """

    folds: tuple[FoldExplanation, ...] = field(repr=False)
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
    null: NullResult | None,
) -> RunExplanation:
    """Explain the outer models on held-out rows, by gene and by module, and call out what chance does not explain.

    Parameters
    ----------
    procedure, observed
        The procedure, and its result on the observed labels.
    labelled
        Labels and strata.
    log2
        Log2 expression, samples x genes, for the modules.
    plan, null
        As for `call_out`.
    """
    folds = explain_models(auto_models(observed.results))
    called = call_out(procedure, observed, labelled, log2, plan, null)
    grouping = called.strengths.grouping
    of_genes = gather_contributions(folds, labelled.genes, labelled.sample_labels)
    of_modules = gather_contributions(folds, grouping.names, labelled.sample_labels, grouping.signs)
    return RunExplanation(
        tuple(folds),
        of_genes,
        called.mark(of_genes.table()),
        called.mark_modules(of_modules.table()),
        signature_table(procedure, observed, labelled.sample_labels),
    )


def signature_table(procedure: Procedure, observed: ObservedResult, labels: Labels) -> pd.DataFrame:
    """Return held-out contributions of signatures, one row for each builder and signature, largest first.

    Parameters
    ----------
    procedure, observed
        The procedure, and its result on the observed labels.
    labels
        Label of each sample, 0 or 1.
    """
    parts = []
    for builder in dict.fromkeys(candidate.builder_name for candidate in procedure.candidates):
        names = procedure.signature_names(builder)
        if names is None:
            continue
        own = [index for index, candidate in enumerate(procedure.candidates) if candidate.builder_name == builder]
        models = [model for result in observed.results for model in _winners(result, own)]
        contributions = gather_contributions([_by_signature(model) for model in models], names, labels)
        parts.append(contributions.table().rename(columns={"gene": "signature"}).assign(builder=builder))
    if not parts:
        return pd.DataFrame(columns=list(_SIGNATURE_COLUMNS))
    table = pd.concat(parts, ignore_index=True)[list(_SIGNATURE_COLUMNS)]
    return table.sort_values("contribution", ascending=False, kind="stable", ignore_index=True)


def _winners(result: DrawResult, candidates: list[int]) -> list[FoldModel]:
    """Return, for every outer fold, the model of some candidates with the best inner objective, the earlier of equals."""
    best = np.array(candidates)[np.argmax(np.nan_to_num(result.inner_scores[candidates], nan=0.0), axis=0)]
    return [model for model in result.models if model.candidate == best[model.fold]]


def _by_signature(model: FoldModel) -> FoldExplanation:
    of_features = shap_values(model.classifier, model.test_features)
    order = np.argsort(model.columns)
    values = of_features.values[:, order]
    signed = values * np.sign(model.test_features[:, order])
    return FoldExplanation(
        model.repeat, model.fold, model.test_rows, of_features.base, model.columns[order], values, signed
    )
