"""What a result rests on: genes, modules and signatures with their held-out contributions, and which of them are called out.

Signatures are explained by builder: for each builder whose features are signatures, the mean of its candidates is explained in
every outer fold, with the weights that auto gives them: what auto would be had there been no other builder.
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
    explain_auto,
    gather_contributions,
    mean_explanation,
    shap_values,
)
from responder_ml.explanation.call_out import call_out
from responder_ml.progress import OnProgress
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
        Auto in every outer fold, explained on the rows that its models did not see.
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
    on_progress: OnProgress | None = None,
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
    plan, null, on_progress
        As for `call_out`.
    """
    folds = explain_auto(observed.results)
    called = call_out(procedure, observed, labelled, log2, plan, null, on_progress)
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
        own = {index for index, candidate in enumerate(procedure.candidates) if candidate.builder_name == builder}
        explanations = [explanation for result in observed.results for explanation in _of_builder(result, own)]
        contributions = gather_contributions(explanations, names, labels)
        parts.append(contributions.table().rename(columns={"gene": "signature"}).assign(builder=builder))
    if not parts:
        return pd.DataFrame(columns=list(_SIGNATURE_COLUMNS))
    table = pd.concat(parts, ignore_index=True)[list(_SIGNATURE_COLUMNS)]
    return table.sort_values("contribution", ascending=False, kind="stable", ignore_index=True)


def _of_builder(result: DrawResult, candidates: set[int]) -> list[FoldExplanation]:
    """Explain, for every outer fold, the mean of one builder's candidates by signature, weighted as in auto."""
    explanations = []
    for fold in sorted({model.fold for model in result.models}):
        own = [model for model in result.models if model.fold == fold and model.candidate in candidates]
        weights = [model.weight for model in own]
        # Candidates that auto does not use at all count alike.
        explanations.append(
            mean_explanation([_by_signature(model) for model in own], weights if sum(weights) > 0 else [1.0] * len(own))
        )
    return explanations


def _by_signature(model: FoldModel) -> FoldExplanation:
    of_features = shap_values(model.classifier, model.test_features)
    order = np.argsort(model.columns)
    values = of_features.values[:, order]
    signed = values * np.sign(model.test_features[:, order])
    return FoldExplanation(
        model.repeat, model.fold, model.test_rows, of_features.base, model.columns[order], values, signed
    )
