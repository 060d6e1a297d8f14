"""Ask external signatures of the subjects of a job: do their scores differ between the classes, and do the changes go along them?

A signature comes from elsewhere with its source and licence. Nothing is trained: its score in a sample needs no other sample and
no label. What is tested, and how, is in `evaluation.signature_tests`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from responder_ml.arrays import Floats, Indices
from responder_ml.build import build_cohort, build_endpoint, prepare_job
from responder_ml.cohort.audit import require_accepted
from responder_ml.cohort.combine_samples import combine_samples
from responder_ml.cohort.covariates import adjusted_covariates
from responder_ml.cohort.endpoint import LabelledCohort, label_cohort
from responder_ml.config import JobConfig
from responder_ml.errors import ConfigError, ContrastError, list_names
from responder_ml.evaluation.composition import with_composition
from responder_ml.evaluation.global_test import expressed_genes
from responder_ml.evaluation.relabel import format_count
from responder_ml.evaluation.signature_tests import MOST_RELABELLINGS, RELABELLINGS, SignatureTests, run_signature_tests
from responder_ml.features.external_signatures import is_weighted
from responder_ml.features.membership import Membership, match_sets_to_genes
from responder_ml.features.normalise import Normaliser
from responder_ml.features.signatures.singscore import Singscore
from responder_ml.features.signatures.ulm import Ulm
from responder_ml.listed_signatures import ListedSignatures, circular_signatures, read_listed
from responder_ml.progress import Progress
from responder_ml.records.digests import data_digest, sample_digests
from responder_ml.records.files import named_folder
from responder_ml.records.signatures import (
    SIGNATURES_FOLDER,
    SignaturesResult,
    SignaturesRun,
    write_signatures,
)
from responder_ml.report.signatures import render_signatures
from responder_ml.report.words import conclusion
from responder_ml.sets import nuisances_in_model
from responder_ml.signatures_config import SignaturesConfig
from responder_ml.versions import versions_of

_STATISTICS = ("cosine", "spearman", "reversed")


def signatures(
    job: JobConfig,
    listed: SignaturesConfig,
    out: Path,
    *,
    relabellings: int = RELABELLINGS,
    progress: Progress | None = None,
) -> SignaturesRun:
    """Score and compare external signatures, and write the folder.

    Parameters
    ----------
    job
        Configuration of two classes.
    listed
        The signatures.
    out
        Folder to write.
    relabellings
        Labellings to run at most; the smallest p is one over their number.
    progress
        Is told about long work.

    Raises
    ------
    ResponderError
        Anything the user can mend; nothing is left half-written.
    """
    progress = progress or Progress()
    SIGNATURES_FOLDER.check(out)
    job.endpoint.require_two_classes("A comparison of signatures")
    if not 2 <= relabellings <= MOST_RELABELLINGS:
        raise ConfigError(
            f"--relabellings is {relabellings}. Give 2 to {MOST_RELABELLINGS:,}; {RELABELLINGS:,} is usual."
        )
    read = read_listed(listed)
    cohort = build_cohort(job.cohort, job.seed)
    prepared = prepare_job(job, cohort)
    require_accepted(prepared.findings, job.accept)
    labelled = unpaired(job, cohort) if prepared.labelled.paired else prepared.labelled
    matched = match_sets_to_genes(
        read.sets, labelled.genes.tolist(), min_genes=listed.min_genes, min_coverage=listed.min_coverage
    )
    matched, expressed, compared = with_expressed_genes(matched, labelled)
    weighted = np.array([is_weighted(one) for one in read.sets if one.name in set(matched.names)])
    log2 = Normaliser(str(labelled.cohort.uns["units"]), "tmm").fit_transform(labelled.expression)
    scores = score_samples(log2, matched, weighted)
    with progress.stage("Signatures") as on_progress:
        tests = run_signature_tests(
            scores,
            log2[:, expressed],
            matched.weights[expressed],
            weighted,
            labelled.labels,
            labelled.strata,
            adjusted_covariates(labelled),
            relabellings,
            job.seed,
        )
        on_progress(tests.run, tests.run, "")
    table = _tabulate(matched, read, weighted, compared, tests, circular_signatures(job, read))
    held_constant, not_held_constant = nuisances_in_model(job)
    endpoint, simulated = labelled.endpoint, bool(labelled.cohort.uns.get("simulated", False))
    result = SignaturesResult(
        name=job.name,
        simulated=simulated,
        taken=job.cohort.tissue_taken,
        positive=endpoint.positive,
        negative=endpoint.negative,
        n_positive=int(np.sum(labelled.labels == 1)),
        n_negative=int(np.sum(labelled.labels == 0)),
        genes=len(expressed),
        adjusted=held_constant,
        not_adjusted=not_held_constant,
        sources=read.sources,
        min_genes=listed.min_genes,
        min_coverage=listed.min_coverage,
        dropped=matched.dropped,
        labellings=format_count(tests.labellings),
        run=tests.run,
        exact=tests.exact,
        smallest_p=tests.smallest_p,
        alpha=job.null.alpha,
        sentence=describe_signatures(
            table, (endpoint.positive, endpoint.negative), job.null.alpha, tests.smallest_p, simulated
        ),
        data_sha256=data_digest(prepared.labelled),
        versions=versions_of(),
        seed=job.seed,
    )
    tables = {"signatures": table, "scores": _scores(labelled, matched, scores), "subjects": _subjects(labelled)}
    run = SignaturesRun(result, tables, job.resolved())
    write_signatures(run, render_signatures(run), out)
    return run


def default_folder(job: JobConfig, listed: SignaturesConfig) -> Path:
    """Return the folder, named after the job and a digest of what the answer depends on."""
    resolved = job.resolved()
    settings = [resolved[key] for key in ("cohort", "endpoint", "seed")]
    return named_folder("signatures", job.name, [*settings, listed.resolved()])


def unpaired(job: JobConfig, cohort: AnnData) -> LabelledCohort:
    """Return paired subjects with their own expression and not what differs from the pair: that is the linear model's work."""
    return combine_samples(label_cohort(*with_composition(cohort, build_endpoint(job.endpoint))))


def with_expressed_genes(matched: Membership, labelled: LabelledCohort) -> tuple[Membership, Indices, Floats]:
    """Leave out signatures without an expressed gene.

    Returns
    -------
    The signatures, positions of expressed genes in the cohort, and how many genes of each signature are expressed.

    Raises
    ------
    ContrastError
        No signature has an expressed gene.
    """
    expressed = np.flatnonzero(expressed_genes(labelled))
    compared = np.asarray((matched.weights[expressed] != 0).sum(axis=0)).ravel()
    usable = np.flatnonzero(compared > 0)
    if not len(usable):
        raise ContrastError(
            "None of the signatures has a gene that enough subjects express. Check the signatures and the units of the cohort."
        )
    silent = {
        name: "none of its genes is expressed" for name, count in zip(matched.names, compared, strict=True) if not count
    }
    names = tuple(matched.names[column] for column in usable)
    with_genes = Membership(names, matched.weights[:, usable], matched.coverage, {**matched.dropped, **silent})
    return with_genes, expressed, compared[usable]


def score_samples(log2: Floats, matched: Membership, weighted: "np.ndarray[Any, Any]") -> Floats:
    """Return the score of every signature in every sample: singscore for sets, ulm for weighted ones.

    Parameters
    ----------
    log2
        Log2 expression, samples x genes.
    matched
        Signatures matched to the genes.
    weighted
        Which have weights.
    """
    scores = np.empty((len(log2), len(matched.names)))
    for scorer, columns in ((Singscore(), np.flatnonzero(~weighted)), (Ulm(), np.flatnonzero(weighted))):
        if len(columns):
            names = [matched.names[column] for column in columns]
            members = sparse.csr_array(matched.weights[:, columns])
            scores[:, columns] = scorer.fit(log2, members=members, names=names).transform(log2)
    return scores


def describe_signatures(
    table: pd.DataFrame, classes: tuple[str, str], alpha: float, smallest_p: float, simulated: bool
) -> str:
    """Return the conclusion in one sentence.

    Parameters
    ----------
    table
        The signatures.
    classes
        Positive and negative class.
    alpha
        Level of corrected p.
    smallest_p
        Smallest p that the labellings allow.
    simulated
        Whether the data are.
    """
    suspect = table["circular"] != ""
    differs = table["corrected_p"] <= alpha
    counted, words = table[differs & ~suspect], "between " + " and ".join(classes)
    total = f"{len(table):,} external signature{'s' if len(table) > 1 else ''}"
    if counted.empty:
        one = "the one external signature" if len(table) == 1 else f"any of {total}"
        sentence = f"no evidence that the score of {one} differs {words} (corrected p ≤ {alpha:g})."
        if smallest_p > alpha:
            sentence += f" So few subjects cannot give any: their smallest p is {smallest_p:.2g}."
    else:
        names = list_names(counted["signature"].tolist(), most=3)
        sentence = (
            f"{len(counted):,} of {total} differ{'s' if len(counted) == 1 else ''} in score {words} (corrected p ≤ {alpha:g}): "
            f"{names}."
        )
    circular = int((differs & suspect).sum())
    if circular:
        sentence += (
            f" {circular:,} more may come from these very data and {'is' if circular == 1 else 'are'} not counted."
        )
    return conclusion(sentence, simulated)


def _tabulate(
    matched: Membership,
    read: ListedSignatures,
    weighted: "np.ndarray[Any, Any]",
    compared: Floats,
    tests: SignatureTests,
    circular: dict[str, str],
) -> pd.DataFrame:
    coverage = matched.coverage.loc[list(matched.names)]
    columns: dict[str, Any] = {
        "signature": list(matched.names),
        "listed_as": [read.entry_of[name] for name in matched.names],
        "scorer": np.where(weighted, Ulm.name, Singscore.name),
        "genes": coverage["found"].to_numpy(),
        "listed": coverage["genes"].to_numpy(),
        "compared": compared.astype(np.int64),
        "difference": tests.difference.observed,
        "low": tests.low,
        "high": tests.high,
        "standard_error": tests.standard_error,
        "auroc": tests.auroc,
        "difference_no_effect": tests.difference.no_effect,
        "difference_null_low": tests.difference.null_low,
        "difference_null_high": tests.difference.null_high,
        "p": tests.difference.p_value,
        "corrected_p": tests.difference.corrected_p,
    }
    for name in _STATISTICS:
        statistic = getattr(tests, name)
        columns |= {
            name: statistic.observed,
            f"{name}_no_effect": statistic.no_effect,
            f"{name}_null_low": statistic.null_low,
            f"{name}_null_high": statistic.null_high,
            f"{name}_p": statistic.p_value,
            f"{name}_corrected_p": statistic.corrected_p,
        }
    table = pd.DataFrame(columns | {"circular": [circular.get(name, "") for name in matched.names]})
    order = np.lexsort([table["signature"].astype(str), -table["difference"].abs().fillna(0.0), table["p"].fillna(2.0)])
    return table.iloc[order].reset_index(drop=True)


def _scores(labelled: LabelledCohort, matched: Membership, scores: Floats) -> pd.DataFrame:
    samples = labelled.cohort.obs_names.astype(str)
    return pd.DataFrame({
        "sample": np.repeat(samples, len(matched.names)),
        "signature": np.tile(np.array(matched.names, dtype=object), len(samples)),
        "score": scores.ravel(),
    })  # fmt: skip


def _subjects(labelled: LabelledCohort) -> pd.DataFrame:
    endpoint = labelled.endpoint
    return pd.DataFrame({
        "sample": labelled.cohort.obs_names.astype(str),
        "subject": list(labelled.subjects),
        "group": np.where(labelled.labels == 1, endpoint.positive, endpoint.negative),
        "digest": sample_digests(labelled.cohort),
    })  # fmt: skip
