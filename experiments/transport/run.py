"""What does it gain to bring new samples to the training data? Several ways on the same real pairs of cohorts.

A model is trained on one part and scores another, with no subject in both. Every way uses the same subjects:

* none: the values as they are;
* quantile: each new sample gets the distribution of the typical training sample (`score --transport quantile`);
* batch: the new samples get, gene by gene, location and scale of the training samples (`score --align-batch`);
* ranks: trained and scored on the ranks of genes within a sample, as normal scores;
* pairs: a model of the order of gene pairs (`pairs`).

    python experiments/transport/run.py --data ../shared/data --seed 20261128
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import norm, rankdata

from responder_ml.bundles.bundle import write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, LabelledCohort, label_cohort
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.score import score
from responder_ml.search.prefix_model import PrefixModel

HERE = Path(__file__).parent
WAYS = ("none", "quantile", "batch", "ranks", "pairs")
LENGTH = 50


@dataclass(frozen=True)
class Pair:
    """Samples to train on and to score, their classes, and what the table calls them."""

    name: str
    train: AnnData
    test: AnnData
    classes: tuple[str, str]


def cohort(values: pd.DataFrame, labels: pd.Series, units: str) -> AnnData:
    """Return samples x genes with a class each; every sample is a subject of its own."""
    sheet = pd.DataFrame(
        {"sample": values.index, "subject": values.index, "label": labels.to_numpy()}, index=values.index
    )
    return AnnData(
        values.to_numpy(dtype=float), obs=sheet, var=pd.DataFrame(index=values.columns), uns={"units": units}
    )


def mouse(data: Path) -> Iterator[Pair]:
    """Yield stress against control: accumbens of females to males, and to prefrontal cortex of males; and back."""
    folder = data / "gse102556_mouse_cvs"
    counts = pd.read_csv(folder / "expression_counts.tsv.gz", sep="\t", index_col=0).rename(index=str).T.astype(float)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str).set_index("sample_id")

    def part(region: str, sex: str) -> AnnData:
        chosen = sheet[(sheet["region"] == region) & (sheet["sex"] == sex)]
        return cohort(counts.loc[chosen.index], chosen["group"], "counts")

    for region, to_region in (("NAc", "NAc"), ("NAc", "PFC")):
        for sex, to_sex in (("female", "male"), ("male", "female")):
            name = f"mouse, {region} {sex}s to {to_region} {to_sex}s"
            yield Pair(name, part(region, sex), part(to_region, to_sex), ("stress_CVS", "control"))


def golub(data: Path) -> Iterator[Pair]:
    """Yield leukaemia arrays: the published training samples to the test samples."""
    folder = data / "microarray" / "golub"
    raw = pd.read_csv(folder / "expression.tsv.gz", sep="\t", index_col=0)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str).set_index("sample_id")
    log2 = np.log2(np.maximum(raw, 20)).T.rename(index=str).loc[sheet.index]
    train = sheet["split"] == "train"
    parts = [cohort(log2[rows], sheet["label"][rows], "log2") for rows in (train, ~train)]
    yield Pair("golub, train to test", *parts, ("AML", "ALL"))


def human(data: Path, seed: int) -> Iterator[Pair]:
    """Yield depression against control: one half of the donors in one region to the other half in another."""
    folder = data / "gse102556_human_mdd"
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet = sheet.drop_duplicates(["donor", "region"])
    donors = np.random.default_rng(seed).permutation(sorted(sheet["donor"].unique()))
    first = set(donors[::2])
    tables = {}
    for region in sorted(sheet["region"].unique()):
        counts = (
            pd.read_csv(folder / f"{region}_counts.tsv.gz", sep="\t", index_col=0).rename(index=str).T.astype(float)
        )
        tables[region] = counts.loc[:, ~counts.columns.duplicated()]
    for region, other in permutations(tables, 2):
        train, test = (
            sheet[(sheet["region"] == of) & (sheet["donor"].isin(first) == is_first)].set_index("sample_id")
            for of, is_first in ((region, True), (other, False))
        )
        genes = tables[region].columns.intersection(tables[other].columns)
        yield Pair(
            "human, region to region (mean of 30)",
            cohort(tables[region].loc[train.index, genes], train["phenotype"], "counts"),
            cohort(tables[other].loc[test.index, genes], test["phenotype"], "counts"),
            ("MDD", "CTRL"),
        )


def normal_scores(samples: AnnData) -> AnnData:
    """Return the ranks of genes within each sample as normal scores, shifted to look like log2 values."""
    ranks = rankdata(samples.X, axis=1)
    scores = norm.ppf((ranks - 0.5) / ranks.shape[1]) * 2 + 8
    return AnnData(scores, obs=samples.obs.copy(), var=samples.var.copy(), uns={"units": "log2"})


def evaluate(pair: Pair, way: str) -> dict[str, float]:
    """Train, score and compare with the labels."""
    train, test = (normal_scores(part) if way == "ranks" else part for part in (pair.train, pair.test))
    units = str(train.uns["units"])
    labelled = label_cohort(train, Endpoint("label", *pair.classes))
    model = fit(labelled, Pairs() if way == "pairs" else Genes(units=units))
    result = {"name": way, "simulated": False, "endpoint": {}, "n": {}, "verdict": None, "versions": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_bundle(pack_bundle(model, labelled, result), folder / "b")
        test.write_h5ad(folder / "new.h5ad")
        test.obs.assign(batch="new").to_csv(folder / "sheet.csv", index=False)
        options = {"quantile": {"transport": "quantile"}, "batch": {"align_batch": "batch"}}.get(way, {})
        table = score(folder / "b", folder / "new.h5ad", samples=folder / "sheet.csv", units=units, **options)
    evaluation = table.attrs["summary"]["evaluation"]
    share = table["predicted"].eq(pair.classes[0]).mean()
    return {
        "auroc": evaluation["auroc"],
        "balanced accuracy": evaluation["balanced_accuracy"],
        "called positive": share,
        "flagged": float(table["abstain"].mean()),
        "n": evaluation["subjects"],
    }


def fit(labelled: LabelledCohort, builder: Genes | Pairs) -> PrefixModel:
    """Fit one model in its fixed form."""
    model = PrefixModel(builder, CLASSIFIERS["elastic_net"](C=0.01), LENGTH)
    return model.fit(labelled.expression, labelled.sample_labels, genes=labelled.genes)


def main() -> None:
    """Run every pair and way and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    start, rows = time.perf_counter(), []
    for pair in (*golub(arguments.data), *mouse(arguments.data), *human(arguments.data, arguments.seed)):
        rows += [{"pair": pair.name, "way": way, **evaluate(pair, way)} for way in WAYS]
        print(rows[-len(WAYS) :], flush=True)
    table = pd.DataFrame(rows)
    lines = [
        f"`python experiments/transport/run.py --data {arguments.data} --seed {arguments.seed}`, "
        f"{time.perf_counter() - start:.0f} s. One elastic net (fixed form, {LENGTH} features) each; no subject in both parts.",
        "",
        "| pair | transport | AUROC | gain over none | balanced accuracy | called positive | flagged | subjects scored |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, of_pair in table.groupby("pair", sort=False):
        means = of_pair.groupby("way", sort=False).mean(numeric_only=True)
        gains = of_pair.pivot_table(index=of_pair.groupby("way").cumcount(), columns="way", values="auroc")
        for way, row in means.iterrows():
            gain = gains[way] - gains["none"]
            error = f" (se {gain.std(ddof=1) / np.sqrt(len(gain)):.3f})" if len(gain) > 1 else ""
            words = "" if way == "none" else f"{gain.mean():+.3f}{error}"
            lines.append(
                f"| {name} | {way} | {row['auroc']:.3f} | {words} | {row['balanced accuracy']:.3f} | "
                f"{row['called positive']:.2f} | {row['flagged']:.2f} | {row['n']:.0f} |"
            )
    (HERE / "transport.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
