"""Audit of the design: who is compared with whom, and what else separates the two classes."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from responder_ml.cohort.association import Association, associate, rank_difference
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.findings import Finding
from responder_ml.errors import list_names

# Fewer than this per class: refused; fewer than the second: nothing can be tuned.
_FEWEST, _FEW = 3, 6
_MISSING_WITH_CLASS = 0.05
_SUBJECT_WORDS = ("animal", "mouse", "rat", "donor", "patient", "subject", "individual", "participant")


def class_sizes(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML01: subjects and samples per class, or pairs."""
    if labelled.paired:
        pairs, endpoint = len(np.unique(labelled.strata)), labelled.endpoint
        of_samples = f" ({labelled.n_samples} samples)" if labelled.n_samples > 2 * pairs else ""
        yield Finding(
            "RML01",
            "info",
            f"{pairs} pairs ({endpoint.pairs}) of one {endpoint.positive} and one {endpoint.negative}{of_samples}.",
        )
        return
    counts = []
    for name, label in ((labelled.endpoint.positive, 1), (labelled.endpoint.negative, 0)):
        subjects, samples = int(np.sum(labelled.labels == label)), int(np.sum(labelled.sample_labels == label))
        counts.append(f"{subjects} {name}" + (f" ({samples} samples)" if samples != subjects else ""))
    yield Finding("RML01", "info", f"{len(labelled.labels)} subjects: {' and '.join(counts)}.")


def small_class(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML02: a class too small to learn from, or to tune on."""
    positives = int(np.sum(labelled.labels == 1))
    sizes = {labelled.endpoint.positive: positives, labelled.endpoint.negative: len(labelled.labels) - positives}
    name, size = min(sizes.items(), key=lambda item: item[1])
    if size < _FEWEST:
        message = f"Only {size} subject(s) are {name}; at least {_FEWEST} per class are needed."
        yield Finding("RML02", "error", message)
    elif size < _FEW:
        few = f"There are only {size} pairs" if labelled.paired else f"Only {size} subjects are {name}"
        message = f"{few}: too few to tune anything, and p-values come in coarse steps."
        yield Finding("RML02", "warning", message)


def unknown_subjects(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML03: no subject column, so that every sample counts as a subject."""
    if labelled.cohort.uns.get("subject_source") != "sample":
        return
    sheet = labelled.cohort.obs
    candidates = [
        str(name)
        for name in sheet.columns
        if name != "subject"
        and any(word in str(name).lower() for word in _SUBJECT_WORDS)
        and 1 < sheet[name].nunique() < len(sheet)
    ]
    several_regions = "region" in sheet and sheet["region"].nunique() > 1
    hint = f" The column {candidates[0]} may hold it." if candidates else ""
    regions = "Several regions are compared, so one animal may be on both sides of a split. " if several_regions else ""
    yield Finding(
        "RML03",
        "warning" if several_regions or candidates else "info",
        f"No column names the subject, so each sample counts as one. {regions}If samples share an animal, donor or patient, "
        f"results come out too good: name the column with `columns: {{subject: ...}}`.{hint}",
    )


def repeated_samples(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML04: several samples of one subject, and libraries of one subject and region that were put together before."""
    summed = dict(labelled.cohort.uns.get("replicates", {}))
    if summed:
        what = "summed" if summed["method"] == "sum" else "averaged"
        yield Finding(
            "RML04",
            "info",
            f"Libraries of one subject and region were {what} (cohort.replicates): {list_names(summed['names'], quote='')}.",
        )
    counts = np.bincount(labelled.subject_of)
    if counts.max(initial=0) < 2:
        return
    several = [labelled.subjects[index] for index in np.flatnonzero(counts > 1)]
    sheet = labelled.cohort.obs
    keys = ["subject", *(["region"] if "region" in sheet else []), labelled.endpoint.column]
    are_replicates = bool(sheet[keys].astype(str).duplicated().any())
    advice = " Sum replicate libraries with `cohort.replicates: sum`." if are_replicates else ""
    yield Finding(
        "RML04",
        "warning" if are_replicates else "info",
        f"{int(counts.sum())} samples come from {len(counts)} subjects, up to {counts.max()} from one "
        f"({list_names(several)}). Those of one subject are averaged before anything is learnt, so each subject counts "
        f"once.{advice}",
    )


def several_regions(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML05: samples of different regions in one endpoint."""
    sheet = labelled.cohort.obs
    if "region" in sheet and sheet["region"].nunique() > 1:
        counts = ", ".join(f"{region} {count}" for region, count in sheet["region"].value_counts().items())
        yield Finding(
            "RML05",
            "warning",
            f"Samples of {sheet['region'].nunique()} regions are compared as if they were one ({counts}). Regions "
            "differ far more than groups do; choose one with `where: {region: ...}`.",
        )


def nuisance_and_class(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML06: batch and the like against class, by Cramér's V; measurements by a rank test."""
    for column in labelled.endpoint.nuisance:
        units = _units(labelled, column)
        if labelled.is_category(column):
            kind = "subjects" if len(units) == len(labelled.labels) else "pairs of subject and value"
            association = associate(units["value"], units["label"].to_numpy())
            yield _describe_batch(column, association, f"{len(units)} {kind}")
            continue
        known = units[units["value"].notna()]
        share, p_value = rank_difference(known["value"].to_numpy(dtype=np.float64), known["label"].to_numpy())
        missing, with_class = _missing(labelled, column)
        yield Finding(
            "RML06",
            "warning" if p_value < 0.05 or with_class else "info",
            f"{column} alone separates the classes with AUROC {max(share, 1 - share):.2f} (rank test p = "
            f"{p_value:.2g}, higher in {labelled.endpoint.positive if share >= 0.5 else labelled.endpoint.negative}).{missing}",
        )


def strata_and_class(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML07: classes unevenly spread over a stratum such as drug; pairs are even by design."""
    if labelled.paired:
        return
    for column in labelled.endpoint.strata:
        units = _units(labelled, column)
        association = associate(units["value"], units["label"].to_numpy())
        counts = ", ".join(f"{value} {row[1]} and {row[0]}" for value, row in association.table.iterrows())
        spread = f"Subjects per {column}, {labelled.endpoint.positive} and {labelled.endpoint.negative}: {counts}."
        if association.one_class_only and len(association.table) > 1:
            one_class = ", ".join(association.one_class_only)
            message = f"{spread} In {one_class} only one class occurs, so its subjects cannot be relabelled."
            yield Finding("RML07", "warning", message)
        else:
            advice = " The classes are unevenly spread; a model may learn the stratum." if association.is_strong else ""
            yield Finding("RML07", "warning" if association.is_strong else "info", spread + advice)


def _units(labelled: LabelledCohort, column: str) -> pd.DataFrame:
    """Return one row per subject and value, so that repeated samples do not count as evidence."""
    table = pd.DataFrame(
        {
            "subject": labelled.subject_of,
            "value": labelled.cohort.obs[column].to_numpy(),
            "label": labelled.sample_labels,
        }
    )
    return table.drop_duplicates()


def _missing(labelled: LabelledCohort, column: str) -> tuple[str, bool]:
    """Return a sentence on the subjects without a measurement, and whether they are more often of one class."""
    by_subject = labelled.cohort.obs[column].isna().groupby(labelled.subject_of).all().to_numpy()
    if not by_subject.any():
        return "", False
    positive, negative = (int(by_subject[labelled.labels == label].sum()) for label in (1, 0))
    sizes = np.bincount(labelled.labels, minlength=2)
    table = [[positive, sizes[1] - positive], [negative, sizes[0] - negative]]
    p_value = float(fisher_exact(table).pvalue)
    endpoint = labelled.endpoint
    with_class = p_value < _MISSING_WITH_CLASS
    endpoint = labelled.endpoint
    sentence = (
        f" It is missing in {positive} of {sizes[1]} {endpoint.positive} and {negative} of {sizes[0]} {endpoint.negative} "
        f"(Fisher's exact p = {p_value:.2g})"
    )
    return sentence + (", which may stand for the class." if with_class else "."), with_class


def _describe_batch(column: str, association: Association, n_units: str) -> Finding:
    levels = len(association.table)
    if levels < 2:
        return Finding("RML06", "info", f"{column} has one value only, so it cannot explain a difference.")
    alone = association.one_class_only
    strength = (
        f"{column} x class: Cramér's V {association.cramers_v:.2f} over {levels} values; {association.by_chance:.2f} is expected "
        f"by chance with {n_units}."
    )
    if len(alone) == levels:
        return Finding(
            "RML06",
            "warning",
            f"{strength} Class is nested in {column}: every value has one class, so the two cannot be separated by "
            "any method.",
        )
    one_class = (
        f" Values with one class only: {', '.join(alone[:5])}{', ...' if len(alone) > 5 else ''}." if alone else ""
    )
    advice = f" A model may learn {column} in place of the class." if association.is_strong else ""
    return Finding("RML06", "warning" if association.is_strong else "info", strength + one_class + advice)


def derived_classes(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML17: classes made from a measured behaviour, and who was left out."""
    rule, endpoint = labelled.endpoint.rule, labelled.endpoint
    if rule is None:
        return
    above, below = endpoint.positive, endpoint.negative
    if rule.above == "negative":
        above, below = below, above
    near, unknown = labelled.left_out
    text = f"Classes come from {labelled.measured}: {above} from {rule.cut:g} up, {below} below."
    if near:
        text += f" {len(near)} subject(s) nearer to the cut-off than {rule.margin:g} are left out: {list_names(near)}."
    if unknown:
        text += f" {len(unknown)} subject(s) have no value and are left out: {list_names(unknown)}."
    yield Finding(
        "RML17", "info", f"{text} The cut-off is this job's; which one the founding study used is not verified."
    )
