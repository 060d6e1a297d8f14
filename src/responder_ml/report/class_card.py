"""What the model card of several classes says: the answer on all of them, and the numbers of every two, which have their own."""

from collections.abc import Iterator

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.classes import ClassesResult, ClassesRun
from responder_ml.report.card_facts import (
    MISUSE,
    NOT_RUN,
    ONE_COHORT,
    RELABELLED,
    SIMULATED,
    USERS,
    CardFacts,
    Fact,
    Measure,
    intended_use,
    p_label,
    rows_used,
    tags_of,
)
from responder_ml.report.verdict import MEANINGS, NAMES

_AUROC, _BALANCED_ACCURACY = METRICS[:2]


def describe_classes(run: ClassesRun) -> CardFacts:
    """Gather the facts of a training of several classes, as ``train`` left it behind or `read_classes` read it back."""
    result = run.result
    names = list(result.classes)
    words = f"{', '.join(names[:-1])} and {names[-1]}"
    return CardFacts(
        name=result.name,
        task_name=f"{', '.join(names[:-1])} or {names[-1]}",
        warning=SIMULATED if result.simulated else "",
        verdict=NAMES.get(result.level, result.level),
        conclusion=result.sentence,
        meaning=MEANINGS.get(result.level, ""),
        users=USERS,
        use=intended_use(f"discriminate {words} from each other"),
        misuse=MISUSE,
        timing=describe_timing(result.taken),
        data=tuple(fact for fact in _data(result, words) if fact.text),
        evaluated=(
            "These numbers are of the whole procedure on held-out subjects. The models in the bundle were refitted on all subjects "
            "and have themselves never been evaluated."
        ),
        reading=tuple(_reading(result)),
        measures=tuple(_measures(result)),
        architecture=(
            f"A model for every two of the {len(names)} classes, {len(result.pairs)} in all, each a folder of the bundle with a "
            "card of its own. Their answers are coupled to one probability for each class (Wu, Lin and Weng 2004)."
        ),
        families=result.classifiers,
        inputs=", ".join(filter(None, ("table of samples and genes", result.units))),
        outputs="probability of each class, the class of the highest one, and log-odds of every two classes",
        genes=("Leading genes are those of every two classes, in the cards of their models.",),
        limits=tuple(_limits(result)),
        lock=None,
        versions=result.versions,
        seed=result.seed,
        digest=result.data_sha256,
        tags=tags_of(result.level, simulated=result.simulated),
    )  # fmt: skip


def _data(result: ClassesResult, words: str) -> Iterator[Fact]:
    counts = ", ".join(f"{count} {name}" for name, count in result.classes.items())
    samples = "" if result.samples is None else f"; samples: {result.samples}"
    genes = "" if result.genes is None else f"{result.genes} genes"
    yield Fact("question", "Question", f"{words} compared two by two, column {result.column}")
    yield Fact("subjects", "Subjects", f"{sum(result.classes.values())} ({counts}){samples}")
    yield Fact("expression", "Expression", ", ".join(filter(None, (genes, result.units))))
    yield Fact("rows", "Rows selected", rows_used(result.where))
    yield Fact("strata", "Classes permuted within", ", ".join(result.strata))
    yield Fact("nuisances", "Nuisances, which must not explain the result", ", ".join(result.nuisances))
    yield Fact("adjusted", "Covariates held constant", ", ".join(result.adjust))
    yield Fact("sha256", "SHA-256 of the data", result.data_sha256)


def _measures(result: ClassesResult) -> Iterator[Measure]:
    yield Measure("mean AUROC of every two classes", result.macro_auroc, metric=_AUROC.name)
    if result.prediction is not None:
        label = f"{_BALANCED_ACCURACY.label} of the predicted class"
        yield Measure(label, result.prediction.balanced_accuracy, metric=_BALANCED_ACCURACY.name)
    null = result.null
    if null is None:
        yield Measure("p under relabelled subjects", None, is_p=True, absent=NOT_RUN)
    else:
        yield Measure("mean AUROC under relabelled subjects", null.null_mean)
        yield Measure(p_label(null.relabellings, null.min_attainable_p), null.p_value, is_p=True)
    for row in result.pairs:
        pair = f"{row.positive} against {row.negative}"
        yield Measure(_AUROC.label, row.auroc, (row.auroc_low, row.auroc_high), slice=pair)
        yield Measure("p, not corrected", row.p_value, slice=pair, is_p=True, absent=NOT_RUN)
        yield Measure("p corrected over the pairs", row.corrected_p, slice=pair, is_p=True, absent=NOT_RUN)


def _reading(result: ClassesResult) -> Iterator[str]:
    yield (
        "Mean AUROC of every two classes: the AUROC of a pair is the probability that a subject of one class is ranked above one "
        "of the other; 0.5 is a coin toss."
    )
    if result.prediction is not None:
        yield (
            "Balanced accuracy of the predicted class: mean over classes of the share of their subjects that are predicted right; "
            f"guessing gives {1 / len(result.classes):.2f}. It is not tested."
        )
    yield RELABELLED
    yield (
        "p corrected over the pairs is never below that of all classes together; a pair is evidence only where it is at most "
        f"{result.alpha:g}."
    )


def _limits(result: ClassesResult) -> Iterator[str]:
    yield ONE_COHORT
    yield (
        "Every sample gets a probability of each of these classes, also one that belongs to none of them. Probabilities are not "
        "calibrated, and reflect how many subjects of each class were sequenced."
    )
    yield "The intervals are of single pairs, not corrected for their number, and say nothing of other cohorts."
    yield from result.findings
