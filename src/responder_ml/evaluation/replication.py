"""Will the change of a study be found again, and was it? Two studies over their common genes, or one and the size of a second."""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.contrasts.called_again import CalledAgain, CallRule, SecondStudy, call_again, observed_again
from responder_ml.contrasts.relabelled_change import RelabelledChange
from responder_ml.contrasts.study_change import StudyChange
from responder_ml.contrasts.true_correlation import Agreement, compare_changes, expected_correlation
from responder_ml.errors import GeneNameError, list_names
from responder_ml.evaluation.class_model import ClassModel
from responder_ml.evaluation.signature_null import SignatureP, shown_p, signal_p
from responder_ml.statistics.columns import rounding_share

Level = Literal["nothing_to_replicate", "replicated", "not_replicated", "undecided", "expected"]

LEAST_CORRELATION = 0.5
"""Correlation of the true changes that must be possible for a change to count as replicated: with thousands of genes even changes
that have next to nothing to do with each other differ from chance."""
LEAST_GENES = 50
"""Common genes with fewer of which studies are not compared."""


@dataclass(frozen=True)
class Replication:
    """What a first study leads one to expect of a second, and what the second shows.

    Attributes
    ----------
    genes
        Names of the genes compared.
    first, second
        The studies over these genes; no second where none has been done.
    signal
        Mean squared true change per gene of the first study, in units of residual variance; unbiased, so it may be negative.
    first_p
        Does the first study differ from relabelled subjects?
    same_changes, no_effect
        Correlation of the observed changes if the true ones are the same, and without any.
    again
        Which called genes are called again, as expected.
    observed_again
        Which genes both studies call in the same direction; none without a second study.
    agreement
        Of both studies; None without a second.
    second_p
        Does the second study show the change of the first? None without a second, or where subjects are in both.
    n_shared
        Subjects in both; planned ones of the negative class where no second study has been done.
    """

    genes: Strings
    first: StudyChange
    second: StudyChange | None
    signal: float
    first_p: SignatureP
    same_changes: float
    no_effect: float
    again: CalledAgain
    observed_again: Flags
    agreement: Agreement | None
    second_p: SignatureP | None
    n_shared: int

    def level(self, alpha: float) -> Level:
        """Return the conclusion.

        Parameters
        ----------
        alpha
            Level of both tests.
        """
        if self.first_p.smallest > alpha:
            return "undecided"
        if self.first_p.p_value > alpha:
            return "nothing_to_replicate"
        if self.agreement is None:
            return "expected"
        return conclude(self.agreement.interval, None if self.second_p is None else self.second_p.p_value, alpha)

    def is_shown(self, alpha: float) -> bool:
        """Return whether the second study shows the change of the first at all.

        Parameters
        ----------
        alpha
            Level of the test.
        """
        if self.agreement is None:
            return False
        return is_shown(self.agreement.interval, None if self.second_p is None else self.second_p.p_value, alpha)


def is_shown(interval: tuple[float, float], second_p: float | None, alpha: float) -> bool:
    """Return whether a second study shows the change of the first: by its p, or by the interval where it has none."""
    return interval[0] > 0.0 if second_p is None else second_p <= alpha


def conclude(interval: tuple[float, float], second_p: float | None, alpha: float) -> Level:
    """Return what a second study says of a change that the first one has.

    Parameters
    ----------
    interval
        Of the correlation of the true changes.
    second_p
        Does the second study show the change of the first? None where subjects are in both.
    alpha
        Level of the test.
    """
    if is_shown(interval, second_p, alpha):
        return "replicated" if interval[1] >= LEAST_CORRELATION else "not_replicated"
    return "not_replicated" if interval[1] < 1.0 else "undecided"


def expect_replication(
    model: ClassModel, sizes: tuple[int, int], shared_control: int, rule: CallRule, seed: int
) -> Replication:
    """Say what a second study of some size should see.

    Parameters
    ----------
    model
        The first study.
    sizes
        Subjects of the second, positive and negative.
    shared_control
        Subjects of the negative class that are in both.
    rule
        When a gene is called.
    seed
        Of the relabellings.

    Raises
    ------
    GeneNameError
        Too few genes vary.
    ContrastError
        As `StudyChange.of`.
    """
    model = _with_genes(model, np.flatnonzero(_varies(model.log2)))
    _require_genes(model.names, model.names)
    first, first_p = _fit(model, seed)
    signal = _signal(first)
    same, alone = expected_correlation(first, sizes, shared_control)
    df = sum(sizes) - 2 + first.total_df - first.coefficient.df
    second = SecondStudy(sqrt(1.0 / sizes[0] + 1.0 / sizes[1]), df, first.sd, alone)
    again = call_again(first, signal, second, rule)
    nowhere = np.zeros(len(model.names), dtype=np.bool_)
    return Replication(
        model.names, first, None, signal, first_p, same, alone, again, nowhere, None, None, shared_control
    )


def compare_studies(
    first_model: ClassModel, second_model: ClassModel, partner: Indices, rule: CallRule, seed: int
) -> Replication:
    """Compare a second study with the first.

    Parameters
    ----------
    first_model, second_model
        The studies; genes are matched by name.
    partner
        For each subject of the first its index in the second, -1 where it is not there.
    rule
        When a gene is called.
    seed
        Of the relabellings.

    Raises
    ------
    GeneNameError
        Too few genes are expressed and vary in both.
    ContrastError
        As `StudyChange.of`.
    """
    one, two = match_genes(first_model, second_model)
    first, first_p = _fit(one, seed)
    second = StudyChange.of(two.log2, two.design)
    agreement = compare_changes(first, second, partner)
    shared = np.flatnonzero(partner >= 0)
    second_p = None
    if not shared.size:
        relabelled = RelabelledChange(two.log2, two.others)
        second_p = shown_p(relabelled, first.signature, two.labels, two.strata, seed)
    weight = float(np.linalg.norm(second.coefficient.weights))
    later = SecondStudy(weight, second.total_df, second.sd, agreement.noise_correlation)
    again = call_again(first, agreement.signals[0], later, rule)
    return Replication(
        genes=one.names,
        first=first,
        second=second,
        signal=agreement.signals[0],
        first_p=first_p,
        same_changes=agreement.same_changes,
        no_effect=agreement.no_effect,
        again=again,
        observed_again=observed_again(first, second, rule),
        agreement=agreement,
        second_p=second_p,
        n_shared=int(shared.size),
    )


def match_genes(first: ClassModel, second: ClassModel) -> tuple[ClassModel, ClassModel]:
    """Return two studies over the genes that are expressed and vary in both, in the order of the first.

    Raises
    ------
    GeneNameError
        There are too few.
    """
    varies_first, varies_second = _varies(first.log2), _varies(second.log2)
    column_of = {name: column for column, name in enumerate(second.names.tolist()) if varies_second[column]}
    columns = [column for column, name in enumerate(first.names.tolist()) if varies_first[column] and name in column_of]
    names = first.names[columns]
    _require_genes(names, second.names)
    others = np.array([column_of[name] for name in names.tolist()], dtype=np.intp)
    return _with_genes(first, np.array(columns, dtype=np.intp)), _with_genes(second, others)


def _fit(model: ClassModel, seed: int) -> tuple[StudyChange, SignatureP]:
    study = StudyChange.of(model.log2, model.design)
    return study, signal_p(RelabelledChange(model.log2, model.others), model.labels, model.strata, seed)


def _signal(study: StudyChange) -> float:
    return study.square(study.coefficient) - study.noise(study.coefficient)


def _varies(log2: Floats) -> Flags:
    sizes = np.abs(log2).max(axis=0, initial=0.0)
    return np.asarray(log2.std(axis=0) > rounding_share(len(log2)) * sizes, dtype=np.bool_)


def _with_genes(model: ClassModel, columns: Indices) -> ClassModel:
    return replace(
        model, log2=np.ascontiguousarray(model.log2[:, columns]), genes=model.genes[columns], names=model.names[columns]
    )


def _require_genes(names: Strings, others: Strings) -> None:
    if len(names) < LEAST_GENES:
        raise GeneNameError(
            f"{len(names)} genes are expressed, vary and have one name in both studies, but {LEAST_GENES} are needed to compare "
            f"changes ({list_names(names.tolist())}; the second has {list_names(others.tolist())}). Use one kind of identifier, or "
            "translate one study's with `cohort.genes` (`relation: orthologs` between species)."
        )
