"""Digests of data: of all that one job used, and of each sample by itself."""

import hashlib

import numpy as np
from anndata import AnnData

from responder_ml.cohort.endpoint import LabelledCohort

# Digits of a sample's digest: two different ones among a million share all of them with a probability below 0.002.
_DIGITS = 12


def data_digest(labelled: LabelledCohort) -> str:
    """Return the SHA-256 of all that was used.

    That is expression, genes, subjects, labels, strata and the sheet of the endpoint's rows, and expression and sheet of the
    samples outside it, from which some builders learn.
    """
    digest = hashlib.sha256()
    for cohort in (labelled.cohort, labelled.outside):
        digest.update(np.ascontiguousarray(cohort.X, dtype=np.float64).tobytes())
        digest.update(cohort.obs.to_csv(lineterminator="\n").encode())
    for names in (labelled.genes, labelled.subjects):
        digest.update("\x1f".join(map(str, names)).encode())
    digest.update(labelled.labels.tobytes())
    digest.update(labelled.strata.astype(np.int64).tobytes())
    return digest.hexdigest()


def sample_digests(cohort: AnnData) -> list[str]:
    """Return a digest of the expression of each sample, in which the order of genes does not count.

    Single precision is compared: a table and an h5ad file of the same numbers may differ beyond it.
    """
    names = np.asarray(cohort.var_names, dtype=str)
    order = np.argsort(names, kind="stable")
    of_genes = hashlib.blake2b("\x1f".join(names[order]).encode()).digest()
    digests = []
    for row in np.asarray(cohort.X):
        # The sum turns a negative zero into zero.
        values = row[order].astype(np.float32) + np.float32(0)
        digests.append(hashlib.blake2b(of_genes + values.tobytes()).hexdigest()[:_DIGITS])
    return digests
