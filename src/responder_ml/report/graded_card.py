"""What the model card of a graded outcome says: how the order of held-out subjects was predicted, and what that is worth."""

from collections.abc import Iterator

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.records.graded import GradedRecord, GradedRun
from responder_ml.report.card_facts import (
    MISUSE,
    NEVER_EVALUATED,
    NOT_RUN,
    OF_PROCEDURE,
    ONE_COHORT,
    REGRESSION,
    SIMULATED,
    CardFacts,
    Fact,
    Measure,
    intended_use,
    leading_genes,
    limits_of_audit,
    limits_of_jobs,
    p_label,
    rows_used,
    tags_of,
)
from responder_ml.report.numbers import plain
from responder_ml.report.verdict import NAMES

_MEANINGS = {
    "evidence": (
        "Held-out subjects were predicted in the order of their outcomes more often than after exchanging outcomes, and no "
        "nuisance was shown to explain it. The result is valid for these subjects and this tissue; a second cohort must confirm it."
    ),
    "confounded": (
        "Expression predicts the order here, but a nuisance may explain it: it is associated with the outcome, predictions follow "
        "it, and among subjects alike in it no prediction can be shown."
    ),
    "not_separable": (
        "Expression predicts the order here, but outcome and nuisance are so nearly the same in this design that no method can "
        "tell which of them the model sees."
    ),
    "no_evidence": (
        "Exchanged outcomes are predicted as well often enough for chance to explain it. This does not prove that expression and "
        "outcome are unrelated: small cohorts miss real relations."
    ),
    "underpowered": "There are too few subjects for any result to count as evidence. The numbers describe these subjects only.",
    "undecided": (
        "The relabellings that were allowed do not show on which side of the level of significance p lies. This is no result in "
        "either direction; allow more relabellings (null.permutations)."
    ),
    "not_tested": "No null was run, so this concordance cannot be distinguished from chance.",
}


def describe_graded(run: GradedRun) -> CardFacts:
    """Gather the facts of a training on a graded outcome, as ``train`` left it behind or `read_graded` read it back."""
    result, column = run.result, run.result.outcome.column
    level, names = result.verdict.level, [member.name for member in result.members]
    regressors = dict.fromkeys(one.regressor for one in result.candidates if one.name in names)
    return CardFacts(
        name=result.name,
        task_name=f"order of {column}",
        warning=SIMULATED if result.simulated else "",
        verdict=NAMES.get(level, level),
        conclusion=result.verdict.sentence,
        meaning=_MEANINGS.get(level, ""),
        users="Researchers who relate gene expression to a measured outcome of animals, donors or patients.",
        use=intended_use(f"predict the order of {column}"),
        misuse=MISUSE,
        timing=describe_timing(result.taken),
        data=tuple(fact for fact in _data(result) if fact.text),
        evaluated=f"{OF_PROCEDURE} {NEVER_EVALUATED}",
        reading=tuple(_reading(column)),
        measures=tuple(_measures(result)),
        architecture=_architecture(result),
        families=tuple(regressors),
        inputs=f"table of samples and genes, {result.units}" if names else "",
        outputs=f"predicted {column}, in its own unit" if names else "",
        genes=tuple(_genes(run)),
        limits=tuple(_limits(result)),
        lock=None,
        versions=result.versions,
        seed=result.seed,
        digest=result.data_sha256,
        tags=tags_of(level, simulated=result.simulated, task=REGRESSION),
        task=REGRESSION,
    )  # fmt: skip


def _data(result: GradedRecord) -> Iterator[Fact]:
    outcome, n = result.outcome, result.n
    # The library size is one of them without being declared.
    nuisances = dict.fromkeys((*result.nuisance, *(result.links.names if result.links is not None else ())))
    values = f"{outcome.low:g} to {outcome.high:g}, mean {outcome.mean:.3g}, standard deviation {outcome.sd:.3g}"
    yield Fact("question", "Question", f"is the order of {outcome.column} predicted by expression?")
    yield Fact("outcome", "Outcome", f"{outcome.column}: {values}, {outcome.distinct} different values")
    yield Fact("subjects", "Subjects", f"{n.subjects}; samples: {n.samples}")
    yield Fact("expression", "Expression", f"{n.genes} genes, {result.units}")
    yield Fact("rows", "Rows selected", rows_used(result.where))
    yield Fact("strata", "Outcomes exchanged and compared within", ", ".join(result.strata))
    yield Fact("block", "Kept together in every fold", result.block or "")
    yield Fact("nuisances", "Nuisances, which must not explain the result", ", ".join(nuisances))
    yield Fact("adjusted", "Covariates held constant", ", ".join(result.adjust))
    yield Fact("sha256", "SHA-256 of the data", result.data_sha256)


def _measures(result: GradedRecord) -> Iterator[Measure]:
    headline, null, conditional = result.headline, result.null, result.conditional
    yield Measure("concordance", headline.concordance, headline.concordance_ci, metric="concordance")
    yield Measure("Spearman's correlation", headline.spearman, metric="spearman")
    yield Measure("R2", headline.r2, metric="r2")
    yield Measure(f"mean absolute error, in units of {result.outcome.column}", headline.mae, metric="mae")
    if null is None:
        yield Measure("p under relabelled subjects", None, is_p=True, absent=NOT_RUN)
        return
    yield Measure("mean concordance under relabelled subjects", null.null_mean)
    yield Measure(p_label(null.relabellings, null.min_attainable_p), null.p_value, is_p=True)
    if conditional is not None and result.links is not None:
        alike = ", ".join((*result.strata, *result.links.names))
        label = "p under relabelled subjects"
        yield Measure(label, conditional.p_value, slice=f"among subjects alike in {alike}", is_p=True)


def _reading(column: str) -> Iterator[str]:
    yield (
        f"Concordance: share of pairs of subjects that are predicted in the order of their {column}, by models that saw neither; "
        "0.5 is a coin toss. Its interval is for new subjects like these."
    )
    yield "Spearman's correlation: rank correlation of mean predictions and outcomes, -1 to 1; it is not tested."
    yield "R2: share of the variance of the outcome that is explained; below 0 where a constant has smaller errors."
    yield (
        "Relabelled subjects: outcomes are exchanged at random and the whole procedure is run again, which shows what chance alone "
        "gives; p is how often that is as good as the result."
    )


def _architecture(result: GradedRecord) -> str:
    members = result.members
    if not members:
        return "No model was fitted."
    if len(members) == 1:
        return f"{members[0].name}."
    weights = ", ".join(f"{member.name} {plain(member.weight)}" for member in members)
    return f"The weighted mean of the predictions of {len(members)} candidates ({weights})."


def _genes(run: GradedRun) -> Iterator[str]:
    leading = leading_genes(run.tables["genes"])
    if leading:
        yield leading
        yield "Some gene always ranks first: genes were not compared with those of relabelled subjects."


def _limits(result: GradedRecord) -> Iterator[str]:
    outcome = result.outcome
    yield ONE_COHORT
    yield (
        f"Predictions are drawn towards the mean of {outcome.column} ({outcome.mean:.3g}): read their order. There is no interval "
        "for the prediction of a single subject."
    )
    yield f"Values beyond those of training, {outcome.low:g} to {outcome.high:g}, are extrapolated and marked as such."
    yield from limits_of_jobs(result.jobs_on_data, result.p_for_jobs)
    yield from limits_of_audit(result.audit)
