"""Files without any effect of the class but with a planted mistake: how many end in "evidence"?

``python experiments/files_without_effect/run.py --seeds 20`` writes, for each seed, noise counts of 8 v 8 animals with (1) the
label as a column among the genes, under the sheet's name, (2) the label under another word that describes samples, (3) 40
unmapped genes called NA with `many_to_one: sum`, and (4) HTSeq's counters that differ by class. Each is trained as it is; a
refusal is counted as such. The table goes to ``experiments/files_without_effect/README.md``.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from responder_ml.config import JobConfig
from responder_ml.errors import CohortError
from responder_ml.train import train

N, GENES = 16, 300
LABELS = ["yes", "no"] * (N // 2)


def label_as_gene(counts: pd.DataFrame) -> pd.DataFrame:
    """Add the sheet's own column of labels, in numbers."""
    return pd.concat([counts, pd.DataFrame([[int(word == "yes") for word in LABELS]], ["answer"], counts.columns)])


def label_renamed(counts: pd.DataFrame) -> pd.DataFrame:
    """Add the labels under another word for them."""
    return label_as_gene(counts).rename(index={"answer": "outcome"})


def unmapped_genes(counts: pd.DataFrame) -> pd.DataFrame:
    """Call 40 genes NA, with more counts in one class."""
    changed = counts.copy()
    changed.iloc[:40] += [40 * (word == "yes") for word in LABELS]
    return changed.rename(index=dict.fromkeys(counts.index[:40], "NA"))


def counters(counts: pd.DataFrame) -> pd.DataFrame:
    """Add counters of reads without a gene, higher in one class."""
    rows = [[9000 if word == "yes" else 3000 for word in LABELS], [1200] * N]
    return pd.concat([counts, pd.DataFrame(rows, ["__no_feature", "__not_aligned"], counts.columns)])


MISTAKES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "label among the genes": label_as_gene,
    "label among the genes, renamed": label_renamed,
    "unmapped genes called NA, summed": unmapped_genes,
    "counters of HTSeq": counters,
}


def level(folder: Path, mistake: str, seed: int) -> str:
    """Return the level of the verdict on one cohort, or that it was refused."""
    rng = np.random.default_rng([seed, *mistake.encode()])
    samples = [f"m{index:02d}" for index in range(N)]
    counts = pd.DataFrame(
        rng.negative_binomial(5, 0.05, size=(GENES, N)), [f"Gene{index}" for index in range(GENES)], samples
    )
    MISTAKES[mistake](counts).to_csv(folder / "counts.tsv", sep="\t", index_label="gene")
    pd.DataFrame({"sample": samples, "answer": LABELS}).to_csv(folder / "samples.csv", index=False)
    job = JobConfig.model_validate(
        {
            "name": "noise",
            "cohort": {
                "source": "table",
                "expression": folder / "counts.tsv",
                "samples": folder / "samples.csv",
                "genes": {"many_to_one": "sum"},
            },
            "endpoint": {"column": "answer", "positive": "yes", "negative": "no"},
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
    except CohortError:
        return "refused"


def main() -> None:
    """Run all cohorts and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    lines = [
        "# Files without an effect, each with a planted mistake",
        "",
        f"`python experiments/files_without_effect/run.py --seeds {seeds}`: {N} animals, {GENES} genes, no effect of the "
        "class. The two labels among the genes must be refused; the others must behave like noise.",
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
