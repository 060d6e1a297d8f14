"""Does variability tell the classes apart? Two scores of spread, on the folds of the headline of eight small cohorts.

    python experiments/real_cohorts/variability.py --shared ../shared/data

`distance` is a sample's mean squared z over all genes; `dispersion` is the same over the 100 genes whose variances differ most
between the classes of the training rows, those that vary more in the positive class less the others. All is learnt from training
rows.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from run import HERE, make_job
from scipy.stats import wilcoxon
from summary import interval

from responder_ml.build import prepare_job
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.evaluation.metrics import OutOfFold, auroc, by_subject
from responder_ml.features.normalise import log2_expression
from responder_ml.search.search_data import SearchData

CHEAP = ("css", "melanoma", "west", "pomeroy", "pathmed", "hippocampus-CA1", "hippocampus-CA3", "hippocampus-DG")
SETTINGS = argparse.Namespace(repeats=2, trials=0, permutations=0, seed=1)


def scores(rows: np.ndarray, labels: np.ndarray, train: np.ndarray) -> dict[str, np.ndarray]:
    """Return both scores of all rows, learnt from the training rows."""
    scale = rows[train].std(axis=0, ddof=1)
    z = (rows - rows[train].mean(axis=0))[:, scale > 0] / scale[scale > 0]
    # A tenth of the overall variance keeps a gene that happens not to vary in one class from dominating.
    positive, negative = (z[train & (labels == label)].var(axis=0, ddof=1) + 0.1 for label in (1, 0))
    ratio = np.log(positive / negative)
    weights = np.where(np.argsort(np.argsort(-np.abs(ratio))) < 100, np.sign(ratio), 0.0)
    squares = np.clip(z, -5, 5) ** 2
    return {"distance": squares.mean(axis=1), "dispersion": squares @ weights}


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=HERE / "finished", help="folder of the headline's decisions")
    SETTINGS.shared = parser.parse_args().shared
    table = []
    for name in CHEAP:
        record = json.loads((parser.parse_args().work / f"{name}.headline.json").read_text())
        folds, headline = np.array(record["folds"]), np.array(record["decisions"])
        with tempfile.TemporaryDirectory() as folder:
            labelled = prepare_job(make_job(name, SETTINGS, Path(folder))).labelled
        values = log2_expression(SearchData.of(labelled).expression, str(labelled.cohort.uns["units"]))
        rows = by_subject(values.T, labelled.subject_of, len(labelled.labels)).T
        decisions = {"distance": np.empty(folds.shape), "dispersion": np.empty(folds.shape)}
        for repeat, number in ((repeat, number) for repeat, fold in enumerate(folds) for number in np.unique(fold)):
            train = folds[repeat] != number
            for score, column in scores(rows, labelled.labels, train).items():
                column = ((column - column[train].mean()) / column[train].std())[:, None]
                model = NearestCentroid().fit(column[train], labelled.labels[train])
                decisions[score][repeat, ~train] = model.decision_function(column[~train])
        # One more candidate beside the headline's six.
        decisions |= {f"headline and {score}": (6 * headline + of_score) / 7 for score, of_score in decisions.items()}
        methods = {"headline": headline, **decisions}
        table.append({k: auroc(OutOfFold(labelled.labels, d, folds, np.zeros_like(d))) for k, d in methods.items()})
    lines = [f"| cohort | {' | '.join(table[0])} |", "|---|" + "---|" * len(table[0])]
    lines += [
        f"| {name} | {' | '.join(f'{v:.3f}' for v in row.values())} |" for name, row in zip(CHEAP, table, strict=True)
    ]
    for method in [key for key in table[0] if key != "headline"]:
        change = np.array([row[method] - row["headline"] for row in table])
        p = wilcoxon(change).pvalue if change.any() else 1.0
        lines.append(
            f"\n{method} less headline: {'{:+.3f} ({:+.3f} to {:+.3f})'.format(*interval(change))}, Wilcoxon's p {p:.2f}"
        )
    (HERE / "variability.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
