"""Cohorts without any effect of the class but with a planted mistake: how many end in "evidence"?

``python experiments/planted_mistakes/run.py --seeds 20`` writes, for each seed, noise counts of 8 v 8 animals, and trains on each
as it is; a refusal is counted as such. Mistakes of the file: the label as a column among the genes, under the sheet's name or
another word that describes samples; 40 unmapped genes called NA with `many_to_one: sum`; HTSeq's counters that differ by class.
Mistakes of the sheet, which hides one unit under two names: eight numbered cages of one class each that differ in expression;
every animal twice, spelt in two ways; every sample a second time under another name. The tables go to
``experiments/planted_mistakes/README.md``.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from responder_ml.config import JobConfig
from responder_ml.errors import AuditError, CohortError
from responder_ml.train import train

N, GENES = 16, 300
LABELS = ["yes", "no"] * (N // 2)
GENE_NAMES = [f"Gene{index}" for index in range(GENES)]


@dataclass(frozen=True)
class Cohort:
    """Counts, genes x samples, the sheet of the samples, and its nuisance columns."""

    counts: pd.DataFrame
    sheet: pd.DataFrame
    nuisance: tuple[str, ...] = ()


def noise(rng: np.random.Generator) -> pd.DataFrame:
    """Return counts that no animal shares with another."""
    return pd.DataFrame(
        rng.negative_binomial(5, 0.05, size=(GENES, N)), GENE_NAMES, [f"m{index:02d}" for index in range(N)]
    )


def of_noise(counts: pd.DataFrame) -> Cohort:
    """Return the cohort of a changed file of noise."""
    return Cohort(counts, pd.DataFrame({"sample": counts.columns, "answer": LABELS}))


def label_as_gene(rng: np.random.Generator, name: str = "answer") -> Cohort:
    """Add the labels, in numbers, as a row of that name."""
    counts = noise(rng)
    return of_noise(
        pd.concat([counts, pd.DataFrame([[int(word == "yes") for word in LABELS]], [name], counts.columns)])
    )


def label_renamed(rng: np.random.Generator) -> Cohort:
    """Add the labels under another word for them."""
    return label_as_gene(rng, "outcome")


def unmapped_genes(rng: np.random.Generator) -> Cohort:
    """Call 40 genes NA, with more counts in one class."""
    counts = noise(rng)
    counts.iloc[:40] += [40 * (word == "yes") for word in LABELS]
    return of_noise(counts.rename(index=dict.fromkeys(GENE_NAMES[:40], "NA")))


def counters(rng: np.random.Generator) -> Cohort:
    """Add counters of reads without a gene, higher in one class."""
    counts = noise(rng)
    rows = [[9000 if word == "yes" else 3000 for word in LABELS], [1200] * N]
    return of_noise(pd.concat([counts, pd.DataFrame(rows, ["__no_feature", "__not_aligned"], counts.columns)]))


def numbered_cages(rng: np.random.Generator) -> Cohort:
    """House two animals of one class in every cage, and let expression differ between cages."""
    level, animal, cage = *levels(rng), np.arange(N) // 2
    animal *= np.exp(rng.normal(0, 0.6, size=(GENES, N // 2)))[:, cage]
    classes = np.where(rng.permutation(N // 2) % 2, "yes", "no")[cage]
    return of_animals(rng.poisson(level * animal), animals(classes, "m"), ("cage",))


def spelt_twice(rng: np.random.Generator) -> Cohort:
    """Take two samples of every animal, whose name is spelt in two ways."""
    level, animal = levels(rng)
    classes = np.where(rng.permutation(N) % 2, "yes", "no")
    first, second = rng.poisson(level * animal), rng.poisson(level * animal)
    return of_animals(np.hstack([first, second]), pd.concat([animals(classes, "m"), animals(classes, "M-")]))


def copied_samples(rng: np.random.Generator) -> Cohort:
    """Give every sample a second time, as that of another animal."""
    level, animal = levels(rng)
    classes = np.where(rng.permutation(N) % 2, "yes", "no")
    counts = rng.poisson(level * animal)
    return of_animals(np.hstack([counts, counts]), pd.concat([animals(classes, "m"), animals(classes, "x")]))


def levels(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected count of every gene, and the factor of every animal."""
    return rng.gamma(2.0, 40.0, size=(GENES, 1)), np.exp(rng.normal(0, 0.3, size=(GENES, N)))


def animals(classes: np.ndarray, prefix: str) -> pd.DataFrame:
    """Return one row per animal, two to a numbered cage."""
    subjects = [f"{prefix}{index:02d}" for index in range(N)]
    return pd.DataFrame({"subject": subjects, "answer": classes, "cage": np.arange(N) // 2 + 1})


def of_animals(counts: np.ndarray, sheet: pd.DataFrame, nuisance: tuple[str, ...] = ()) -> Cohort:
    """Return the cohort of counts and the animals they are from."""
    sheet.insert(0, "sample", [f"s{index:02d}" for index in range(len(sheet))])
    return Cohort(pd.DataFrame(counts, GENE_NAMES, sheet["sample"]), sheet, nuisance)


# Cohorts are drawn from the seed and the name of the mistake.
MISTAKES: dict[str, dict[str, Callable[[np.random.Generator], Cohort]]] = {
    "Mistakes of the file. Both labels must be refused; the others must behave like noise.": {
        "label among the genes": label_as_gene,
        "label among the genes, renamed": label_renamed,
        "unmapped genes called NA, summed": unmapped_genes,
        "counters of HTSeq": counters,
    },
    "One unit under two names. At most one cohort in twenty may end in evidence.": {
        "numbered cages": numbered_cages,
        "subjects spelt twice": spelt_twice,
        "copied samples": copied_samples,
    },
}


def level(folder: Path, cohort: Cohort) -> str:
    """Return the level of the verdict on one cohort, or that it was refused."""
    cohort.counts.to_csv(folder / "counts.tsv", sep="\t", index_label="gene")
    cohort.sheet.to_csv(folder / "samples.csv", index=False)
    job = JobConfig.model_validate(
        {
            "name": "noise",
            "cohort": {
                "source": "table",
                "expression": folder / "counts.tsv",
                "samples": folder / "samples.csv",
                "genes": {"many_to_one": "sum"},
            },
            "endpoint": {"column": "answer", "positive": "yes", "negative": "no", "nuisance": cohort.nuisance},
            "builders": [{"kind": "genes"}],
            "classifiers": [{"kind": "nearest_centroid"}],
            "search": {"folds": 4, "repeats": 2, "inner_folds": 2, "trials": 0},
            "null": {"permutations": 300},
            "tracking": {"enabled": False},
            "compute": {"workers": 1},
        }
    )
    try:
        return train(job, folder / "run", folder / "bundle").result.verdict.level
    except (AuditError, CohortError):
        return "refused"


def main() -> None:
    """Run all cohorts and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    lines = [
        "# Cohorts without an effect, each with a planted mistake",
        "",
        f"`python experiments/planted_mistakes/run.py --seeds {seeds}`: {N} simulated animals, {GENES} genes, no effect of the "
        "class.",
    ]
    for words, mistakes in MISTAKES.items():
        lines += ["", words, "", "| mistake | cohorts | refused | evidence | other verdicts |", "|---|---|---|---|---|"]
        for mistake, plant in mistakes.items():
            counts: Counter[str] = Counter()
            for seed in range(seeds):
                with TemporaryDirectory() as name:
                    counts[level(Path(name), plant(np.random.default_rng([seed, *mistake.encode()])))] += 1
            others = ", ".join(
                f"{word} {counts[word]}" for word in sorted(counts) if word not in ("refused", "evidence")
            )
            lines.append(f"| {mistake} | {seeds} | {counts['refused']} | {counts['evidence']} | {others} |")
            print(lines[-1], flush=True)
    Path(__file__).with_name("README.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
