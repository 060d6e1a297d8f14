"""Cohorts without any effect of the class whose sheet hides one unit under two names: how many end in "evidence"?

``python experiments/units_written_wrong/run.py --seeds 20`` writes, for each seed, noise counts of 16 animals in which (1) eight
numbered cages of one class each differ in expression, (2) every animal has two samples and is spelt in two ways, and (3) every
sample is there a second time under another name. Each is trained as it is; a refusal is counted as such. The table goes to
``experiments/units_written_wrong/README.md``.
"""

import argparse
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from responder_ml.config import JobConfig
from responder_ml.errors import AuditError
from responder_ml.train import train

N, GENES = 16, 300
MISTAKES = ("numbered cages", "subjects spelt twice", "copied samples")


def write_cohort(folder: Path, mistake: str, seed: int) -> list[str]:
    """Write a cohort with one mistake, and return its nuisance columns."""
    rng = np.random.default_rng([seed, *mistake.encode()])
    level = rng.gamma(2.0, 40.0, size=(GENES, 1))
    animal = np.exp(rng.normal(0, 0.3, size=(GENES, N)))
    cage = np.arange(N) // 2
    if mistake == "numbered cages":
        animal *= np.exp(rng.normal(0, 0.6, size=(GENES, N // 2)))[:, cage]
        classes = np.where(rng.permutation(N // 2) % 2, "yes", "no")[cage]
    else:
        classes = np.where(rng.permutation(N) % 2, "yes", "no")
    counts = rng.poisson(level * animal)
    sheet = pd.DataFrame({"subject": [f"m{index:02d}" for index in range(N)], "answer": classes, "cage": cage + 1})
    if mistake != "numbered cages":
        again = rng.poisson(level * animal) if mistake == "subjects spelt twice" else counts
        second = [f"M-{index:02d}" if mistake == "subjects spelt twice" else f"x{index:02d}" for index in range(N)]
        counts, sheet = np.hstack([counts, again]), pd.concat([sheet, sheet.assign(subject=second)])
    sheet.insert(0, "sample", [f"s{index:02d}" for index in range(len(sheet))])
    genes = [f"Gene{index}" for index in range(GENES)]
    pd.DataFrame(counts, genes, sheet["sample"]).to_csv(folder / "counts.tsv", sep="\t", index_label="gene")
    sheet.to_csv(folder / "samples.csv", index=False)
    return ["cage"] if mistake == "numbered cages" else []


def level(folder: Path, mistake: str, seed: int) -> str:
    """Return the level of the verdict on one cohort, or that it was refused."""
    nuisance = write_cohort(folder, mistake, seed)
    job = JobConfig.model_validate(
        {
            "name": "noise",
            "cohort": {
                "source": "table",
                "expression": folder / "counts.tsv",
                "samples": folder / "samples.csv",
            },
            "endpoint": {"column": "answer", "positive": "yes", "negative": "no", "nuisance": nuisance},
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
    except AuditError:
        return "refused"


def main() -> None:
    """Run all cohorts and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    lines = [
        "# Units written wrong",
        "",
        f"`python experiments/units_written_wrong/run.py --seeds {seeds}`: {N} simulated animals, {GENES} genes, no effect of the "
        "class. At most one cohort in twenty may end in evidence.",
        "",
        "| mistake | cohorts | refused | evidence | other verdicts |",
        "|---|---|---|---|---|",
    ]
    for mistake in MISTAKES:
        levels: Counter[str] = Counter()
        for seed in range(seeds):
            with TemporaryDirectory() as name:
                levels[level(Path(name), mistake, seed)] += 1
        others = ", ".join(f"{word} {count}" for word, count in levels.items() if word not in ("refused", "evidence"))
        lines.append(f"| {mistake} | {seeds} | {levels['refused']} | {levels['evidence']} | {others} |")
        print(lines[-1], flush=True)
    Path(__file__).with_name("README.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
