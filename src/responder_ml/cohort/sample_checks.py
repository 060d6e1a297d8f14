"""Audit of the samples themselves: copies, sequencing depth, sex, units, and the source of the data."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_ml.arrays import Floats
from responder_ml.cohort.association import rank_difference
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.findings import Finding
from responder_ml.cohort.known_genes import ON_Y, SILENCED_X, find_group
from responder_ml.cohort.sex_genes import compare_sex
from responder_ml.errors import list_names

_TOO_ALIKE, _COPY = 0.999, 0.9
# Fewer samples have no means of genes that a copy could stand out from.
_FEW_SAMPLES = 6
_SHALLOW = 0.25
_TPM_TOLERANCE = 0.1
_MANY_CONSTANT, _SOME_CONSTANT = 0.5, 0.05
_FEW_MAPPED = 0.5


def identical_samples(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML08: samples with equal values throughout."""
    groups = defaultdict(list)
    for row, values in enumerate(np.ascontiguousarray(labelled.expression)):
        groups[blake2b(values.tobytes()).digest()].append(row)
    for rows in (rows for rows in groups.values() if len(rows) > 1):
        between = len(set(labelled.subject_of[rows])) > 1
        yield Finding(
            "RML08",
            "error" if between else "warning",
            f"The samples {list_names(_names(labelled, rows))} hold exactly the same values"
            + (" but belong to different subjects, so training rows reappear in tests." if between else ".")
            + " Keep one of them.",
        )


def near_identical_samples(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML09: samples of different subjects that correlate above 0.999 on the log scale, and pairs that cross.

    Where all samples of a cohort are that alike, a copy also stands out once every gene's mean is taken away.
    """
    log2 = _log2(labelled).astype(np.float32)
    alike = np.triu(_correlations(log2) > _TOO_ALIKE, k=1)
    pairs = [
        (int(first), int(second))
        for first, second in np.argwhere(alike)
        if labelled.subject_of[first] != labelled.subject_of[second]
        and not np.array_equal(labelled.expression[first], labelled.expression[second])
    ]
    if not pairs:
        return
    beyond_means = _correlations(log2 - log2.mean(axis=0))
    is_copy = len(log2) < _FEW_SAMPLES or any(beyond_means[pair] > _COPY for pair in pairs)
    shown = sorted(" and ".join(sorted(_names(labelled, pair))) for pair in pairs)
    yield Finding(
        "RML09",
        "error" if is_copy else "warning",
        f"{len(pairs)} pair(s) of samples of different subjects correlate above {_TOO_ALIKE} on the log scale: "
        f"{list_names(shown, quote='')}. They may be one library under two names.{_describe_swaps(labelled, pairs)}",
    )


def _describe_swaps(labelled: LabelledCohort, pairs: Sequence[tuple[int, int]]) -> str:
    """Return a sentence for every two pairs that join the same two subjects, each holding a library of the other."""
    of_subjects: defaultdict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
    for pair in pairs:
        of_subjects[tuple(sorted(int(labelled.subject_of[row]) for row in pair))].append(pair)
    swapped = []
    for subjects, crossing in of_subjects.items():
        # Each library of one subject is that of the other, and no library stands in two pairs.
        if len(crossing) == 2 and len({row for pair in crossing for row in pair}) == 4:
            first, second = sorted(" and ".join(sorted(_names(labelled, pair))) for pair in crossing)
            names = " and ".join(labelled.subjects[subject] for subject in subjects)
            swapped.append(f"{first} cross {second} between {names}")
    if not swapped:
        return ""
    return f" {list_names(swapped, quote='')}: these samples look swapped. Exchange their names in the sheet, or leave them out."


def _correlations(values: NDArray[np.floating[Any]]) -> Floats:
    centred = values - values.mean(axis=1, keepdims=True)
    centred /= np.maximum(np.sqrt(np.sum(centred**2, axis=1, keepdims=True)), np.float32(1e-12))
    return np.asarray(centred @ centred.T)


def library_sizes(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML10: range of library sizes, and libraries far below the others."""
    if labelled.cohort.uns.get("units") != "counts":
        return
    sizes = labelled.expression.sum(axis=1)
    median = float(np.median(sizes))
    span = (
        f"Library sizes run from {sizes.min() / 1e6:.3g} to {sizes.max() / 1e6:.3g} million (median {median / 1e6:.3g})"
    )
    shallow = np.flatnonzero(sizes < _SHALLOW * median)
    if len(shallow):
        names = list_names(
            [f"{_names(labelled, [row])[0]} ({sizes[row] / 1e6:.3g})" for row in shallow.tolist()], quote=""
        )
        yield Finding(
            "RML10", "warning", f"{span}; below a quarter of the median: {names}. Their low genes are mostly noise."
        )
    else:
        yield Finding("RML10", "info", f"{span}.")


def library_size_and_class(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML11: library size that differs between the classes."""
    if labelled.cohort.uns.get("units") != "counts":
        return
    totals = np.bincount(labelled.subject_of, weights=labelled.expression.sum(axis=1))
    share, p_value = rank_difference(totals / np.bincount(labelled.subject_of), labelled.labels)
    if p_value < 0.05:
        larger = labelled.endpoint.positive if share >= 0.5 else labelled.endpoint.negative
        yield Finding(
            "RML11",
            "warning",
            f"Libraries of {larger} are larger: size alone has AUROC {max(share, 1 - share):.2f} (rank test p = "
            f"{p_value:.2g}). Sequencing depth changes which genes are detected; compare with the depth-only baseline.",
        )


def sex(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML12: sex genes against the sheet's ``sex``."""
    sheet = labelled.cohort.obs
    if "sex" not in sheet:
        return
    per_million = labelled.cohort.uns.get("units") in ("counts", "tpm")
    names = sheet.index.astype(str).tolist()
    comparison = compare_sex(_log2(labelled), labelled.genes.tolist(), sheet["sex"], names, per_million)
    if comparison is None:
        if not find_group(labelled.genes.tolist(), SILENCED_X) and not find_group(labelled.genes.tolist(), ON_Y):
            message = (
                "The sheet has sex, but no sex gene (Xist; Ddx3y, Kdm5d and others of the Y) is among the gene names"
            )
            yield Finding("RML12", "info", f"{message}: nothing was compared.")
        return
    count, disagreements = comparison
    if not disagreements:
        yield Finding("RML12", "info", f"Sex genes agree with the sheet in all {count} samples.")
        return
    words = {"both": "Xist and Y genes: a mixture or a swap", "neither": "neither Xist nor Y genes"}
    shown = [
        f"{sample.sample} ({sample.in_sheet} in the sheet, {words.get(sample.by_genes, sample.by_genes)})"
        for sample in disagreements
    ]
    yield Finding(
        "RML12",
        "warning",
        f"Sex genes disagree with the sheet in {len(disagreements)} of {count} samples: {list_names(shown, quote='')}. "
        "Look for swapped or mixed samples.",
    )


def tpm_sums(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML13: TPM that do not add up to a million."""
    if labelled.cohort.uns.get("units") != "tpm":
        return
    sums = labelled.expression.sum(axis=1)
    off = np.abs(sums / 1e6 - 1) > _TPM_TOLERANCE
    if off.any():
        yield Finding(
            "RML13",
            "warning",
            f"TPM of a sample add up to a million; in {int(off.sum())} of {len(sums)} samples they do not (from "
            f"{sums.min():.3g} to {sums.max():.3g}). Either genes were left out, or the values are in other units.",
        )


def simulated(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML14: simulated data."""
    if labelled.cohort.uns.get("simulated"):
        source = str(labelled.cohort.uns.get("source", ""))
        kind = source if source.startswith("simulated") else f"simulated ({source})"
        message = f"These data are {kind}. They test the method and say nothing about animals."
        yield Finding("RML14", "info", message)


def constant_genes(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML15: genes that do not vary."""
    values = labelled.expression
    share = float(np.mean(values.max(axis=0) == values.min(axis=0)))
    if share >= _SOME_CONSTANT:
        message = f"{share:.0%} of {values.shape[1]} genes have one value in all samples and carry no information."
        yield Finding("RML15", "warning" if share >= _MANY_CONSTANT else "info", message)


def unused_samples(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML16: samples of the matrix that the sheet does not list."""
    names = list(labelled.cohort.uns.get("unused_samples", ()))
    if names:
        message = f"{len(names)} column(s) or row(s) of the matrix are not in the sample sheet and were left out: "
        yield Finding("RML16", "info", f"{message}{list_names(names)}.")


def gene_map(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML18: how many gene names a translation mapped, and how many it left out."""
    report = labelled.cohort.uns.get("gene_map")
    if not report:
        return
    by = f" by {report['table']} (SHA-256 {report['sha256'][:12]})" if report["table"] else ""
    repaired = f" {len(report['repaired'])} damaged name(s) were repaired." if report["repaired"] else ""
    yield Finding(
        "RML18",
        "warning" if report["share"] < _FEW_MAPPED else "info",
        f"{report['mapped']} of {report['names']} gene names ({report['share']:.0%}) became {report['genes']} genes{by}; "
        f"{report['unmapped']} are unknown to it, {report['ambiguous']} stand for several genes, {report['of_several_rows']} genes "
        f"come from several rows ({report['many_to_one']}).{repaired}",
    )


def what_reading_changed(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML19: what was skipped, left out or changed while the files were read."""
    for severity, message in labelled.cohort.uns.get("reading", ()):
        yield Finding("RML19", "warning" if severity == "warning" else "info", str(message))


def _log2(labelled: LabelledCohort) -> Floats:
    """Return values on a log2 scale: counts per million with half a count added, TPM with 1 added, log2 as they are."""
    values, units = labelled.expression, labelled.cohort.uns.get("units")
    if units == "counts":
        return np.asarray(np.log2((values + 0.5) * (1e6 / (values.sum(axis=1, keepdims=True) + 1.0))), dtype=np.float64)
    return np.asarray(np.log2(values + 1.0), dtype=np.float64) if units == "tpm" else values


def _names(labelled: LabelledCohort, rows: Sequence[int]) -> list[str]:
    return [str(labelled.cohort.obs_names[row]) for row in rows]
