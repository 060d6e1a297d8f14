"""Audit of who is compared: samples left out, what nuisances mean, and subjects that may be one under two names."""

from collections.abc import Iterator

from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.findings import Finding
from responder_ml.cohort.subjects import in_two_cohorts, spelt_alike
from responder_ml.errors import list_names


def left_out(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML20: samples that are not compared, by reason; a warning where only the spelling of a word leaves them out."""
    for exclusion in labelled.excluded:
        is_spelling = bool(exclusion.like)
        advice = f" If '{exclusion.like}' is meant, correct the sheet." if is_spelling else ""
        yield Finding("RML20", "warning" if is_spelling else "info", f"Left out, {exclusion.sentence}.{advice}")


def kinds_of_nuisances(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML21: which numbers among the nuisances were taken for categories and which for measurements, and why."""
    inferred = {name: why for name, why in labelled.kind_reasons.items() if why != "as declared"}
    if inferred:
        kinds = [f"{name} is a {labelled.endpoint.kinds[name]} ({why})" for name, why in inferred.items()]
        first = next(iter(inferred))
        other = "measurement" if labelled.is_category(first) else "category"
        yield Finding(
            "RML21",
            "info",
            f"Nuisances that are numbers: {'; '.join(kinds)}. If one is not, declare it: "
            f"`nuisance: [{{name: {first}, kind: {other}}}]`.",
        )


def spellings(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML22: subjects, and values of categories, whose names differ only in how they are written."""
    endpoint, sheet = labelled.endpoint, labelled.cohort.obs
    outside = labelled.outside.obs["subject"].astype(str) if "subject" in labelled.outside.obs else []
    compared = set(sheet["subject"].astype(str))
    # In the order of names: a set has another order in every process.
    groups = spelt_alike([*sorted(compared), *outside])
    shown = [" and ".join(group) for group in groups]
    twins = [" and ".join(group) for group in groups if len(compared.intersection(group)) > 1]
    if groups:
        yield Finding(
            "RML22",
            "error" if twins else "warning",
            f"{len(groups)} group(s) of subjects differ only by case, blanks, punctuation or zeros: "
            f"{list_names(shown, quote='')}. "
            + ("If each is one subject, its samples are on both sides of every split. " if twins else "")
            + "Write each subject in one way.",
        )
    for column in dict.fromkeys((*endpoint.strata, *endpoint.nuisance)):
        if column in sheet and column != endpoint.pairs and labelled.is_category(column):
            alike = [" and ".join(group) for group in spelt_alike(sorted(set(sheet[column].astype(str))))]
            if alike:
                yield Finding(
                    "RML22",
                    "warning",
                    f"Values of {column} differ only in how they are written: {list_names(alike, quote='')}. They count as "
                    "different; write each in one way.",
                )


def reused_names(labelled: LabelledCohort) -> Iterator[Finding]:
    """RML23: subjects with samples in several cohorts, whose numbers may have been used again."""
    for column, names in in_two_cohorts(labelled.cohort.obs).items():
        yield Finding(
            "RML23",
            "warning",
            f"{len(names)} subject(s) have samples in several values of {column}: {list_names(names)}. If they are different "
            f"animals with the same number, their samples are averaged as if they were one: put {column} into the subject's name.",
        )
