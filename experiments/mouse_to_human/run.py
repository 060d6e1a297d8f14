"""Are the changes of chronically stressed mice those of depressed people? Every mouse study against every human one.

    python experiments/mouse_to_human/run.py --seed 1

Mouse: chronic variable stress against control, nucleus accumbens (NAc) and prefrontal cortex (PFC), females, males and both.
Human: depressed against control donors, six regions, likewise. Both arms are of GSE102556 (``../shared/data``, which is not in
the repository). Both sexes together have sex as a stratum. Genes are those that all studies express and `orthologs` pairs.

For each pair: the correlation of the true changes with its interval (`compare_changes`), that of the signatures, its one-sided p
by relabelling donors within sex with the mouse signature fixed, and by relabelling mice within sex as well (whole procedure). A
donor has one label in all regions. Corrected: the largest correlation, in units of its null's standard deviation, over all pairs,
under the whole procedure. The AUROC is that of the mouse signature's score among donors of one sex, and the mean over both.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from orthologs import write_orthologs

from responder_ml.config import read_job
from responder_ml.contrasts.relabelled_change import RelabelledChange
from responder_ml.contrasts.study_change import StudyChange
from responder_ml.contrasts.true_correlation import Agreement, compare_changes
from responder_ml.evaluation.auroc_interval import score_interval
from responder_ml.evaluation.class_model import ClassModel
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.evaluation.signature_null import SignatureP, signal_p
from responder_ml.replicate import PreparedStudy
from responder_ml.statistics.seeds import generator

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data"
MOUSE, HUMAN = "gse102556_mouse_cvs", "gse102556_human_mdd"
MOUSE_REGIONS, HUMAN_REGIONS = ("NAc", "PFC"), ("NA", "DLPFC", "OFC", "CG", "AI", "Sub")
SEXES = ("both", "female", "male")
# Two pairs of libraries that look swapped between two donors in the public data, and a female mouse library with a Y chromosome.
LEFT_OUT = {"SRR5961992", "SRR6443680", "SRR5961995", "SRR6443679", "SRR5956393"}
LABELLINGS = 4999
# Labellings that are fitted in all studies together.
BLOCK = 25


@dataclass
class Study:
    """One region of one species in one sex or both, over the genes of all studies."""

    name: str
    species: str
    region: str
    sex: str
    model: ClassModel
    subjects: tuple[str, ...]
    change: StudyChange
    relabelled: RelabelledChange
    signal: SignatureP

    @property
    def sizes(self) -> str:
        """Subjects of both classes."""
        positive = int(self.model.labels.sum())
        return f"{positive} v {len(self.model.labels) - positive}"


def read_studies(orthologs: Path, folder: Path, seed: int) -> tuple[list[Study], list[Study]]:
    """Read all studies, mouse genes under the Entrez ids of their human orthologs, and bring them to the genes of all."""
    prepared: dict[tuple[str, str, str], PreparedStudy] = {}
    for species, regions in ((MOUSE, MOUSE_REGIONS), (HUMAN, HUMAN_REGIONS)):
        sheet = pd.read_csv(DATA / species / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
        sheet = sheet[~sheet["sample_id"].isin(LEFT_OUT)].rename(columns={"gender": "sex"})
        samples = folder / f"{species}.tsv"
        sheet.to_csv(samples, sep="\t", index=False)
        for region in regions:
            for sex in SEXES:
                job = job_of(species, region, sex, samples, orthologs, seed)
                prepared[species, region, sex] = PreparedStudy.read(read_job(job, job["name"]))
    genes = sorted(set.intersection(*(set(study.model.names.tolist()) for study in prepared.values())))
    studies = [study_of(*key, study, varying(genes, prepared.values()), seed) for key, study in prepared.items()]
    return [study for study in studies if study.species == MOUSE], [
        study for study in studies if study.species == HUMAN
    ]


def varying(genes: list[str], studies: object) -> list[str]:
    """Return the genes that vary in every study."""
    constant: set[str] = set()
    for study in studies:
        constant |= set(study.model.names[np.ptp(study.model.log2, axis=0) == 0].tolist())
    return [gene for gene in genes if gene not in constant]


def job_of(species: str, region: str, sex: str, samples: Path, orthologs: Path, seed: int) -> dict:
    """Return the job of a study."""
    where = {"region": region} | ({} if sex == "both" else {"sex": sex})
    if species == MOUSE:
        cohort = {
            "expression": str(DATA / MOUSE / "expression_counts.tsv.gz"),
            "columns": {"sample": "sample_id", "phenotype": "group"},
            "genes": {
                "map": str(orthologs), "identifier": "mouse_entrez", "gene": "human_entrez", "relation": "orthologs"
            },
        }  # fmt: skip
        classes = {"column": "phenotype", "positive": "stress_CVS", "negative": "control"}
    else:
        cohort = {
            "expression": str(DATA / HUMAN / f"{region}_counts.tsv.gz"),
            "columns": {"sample": "sample_id", "subject": "donor"},
        }
        classes = {"column": "phenotype", "positive": "MDD", "negative": "CTRL"}
    strata = ["sex"] if sex == "both" else []
    return {
        "name": f"{'mouse' if species == MOUSE else 'human'}-{region}-{sex}",
        "cohort": {"source": "table", "samples": str(samples), "units": "counts", "where": where} | cohort,
        "endpoint": classes | {"strata": strata, "library_size": False},
        "builders": ["genes"],
        "classifiers": ["nearest_centroid"],
        "seed": seed,
    }


def study_of(species: str, region: str, sex: str, study: PreparedStudy, genes: list[str], seed: int) -> Study:
    """Return a study over some genes."""
    column_of = {name: column for column, name in enumerate(study.model.names.tolist())}
    columns = np.array([column_of[gene] for gene in genes])
    model = study.model
    log2 = np.ascontiguousarray(model.log2[:, columns])
    part = ClassModel(log2, model.genes[columns], model.names[columns], model.others, model.labels, model.strata)
    relabelled = RelabelledChange(log2, model.others)
    return Study(
        study.job.name, species, region, sex, part, study.labelled.subjects, StudyChange.of(log2, part.design), relabelled,
        signal_p(relabelled, model.labels, model.strata, seed),
    )  # fmt: skip


def labellings_of(studies: list[Study], together: bool, seed: int) -> dict[str, np.ndarray]:
    """Return relabellings of each study: subjects within sex, one label for a subject in all studies it is in.

    Parameters
    ----------
    studies
        Of one species.
    together
        Whether a name is one subject in all regions; otherwise regions are relabelled by themselves.
    seed
        Of the random numbers.
    """
    labellings = {}
    groups = [studies] if together else [[study for study in studies if study.region == name] for name in MOUSE_REGIONS]
    for group in groups:
        label: dict[str, int] = {}
        sex: dict[str, str] = {}
        for study in group:
            label |= dict(zip(study.subjects, study.model.labels.tolist(), strict=True))
            if study.sex != "both":
                sex |= dict.fromkeys(study.subjects, study.sex)
        names = sorted(label)
        codes = np.array([SEXES.index(sex[name]) for name in names])
        rng = generator(seed, "labellings", *(study.name for study in group))
        drawn = draw_labellings(np.array([label[name] for name in names], dtype=np.int8), codes, LABELLINGS, rng)
        index_of = {name: index for index, name in enumerate(names)}
        for study in group:
            labellings[study.name] = drawn[:, [index_of[name] for name in study.subjects]]
    return labellings


def relabelled_t(studies: list[Study], labellings: dict[str, np.ndarray]) -> Iterator[np.ndarray]:
    """Yield unit vectors of moderated t, labellings x studies x genes, block by block."""
    for start in range(0, LABELLINGS, BLOCK):
        rows = []
        for study in studies:
            block = labellings[study.name][start : start + BLOCK]
            t = np.concatenate(list(study.relabelled.t(block)))
            rows.append(t / np.linalg.norm(t, axis=1, keepdims=True))
        yield np.stack(rows, axis=1)


def observed_t(studies: list[Study]) -> np.ndarray:
    """Return unit vectors of moderated t of the observed labels, studies x genes."""
    rows = np.concatenate([next(study.relabelled.t(study.model.labels[None])) for study in studies])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def auroc_of(mouse: Study, human: Study) -> tuple[float, float, float]:
    """Return the AUROC of the mouse signature's score among donors of one sex, the mean over sexes, with its interval."""
    log2 = human.model.log2
    score = (log2 - log2.mean(axis=0)) / log2.std(axis=0) @ mouse.change.signature
    parts = []
    for code in np.unique(human.model.strata):
        inside = human.model.strata == code
        labels, own = human.model.labels[inside], score[inside]
        wins = own[labels == 1][:, None] - own[labels == 0]
        parts.append((np.mean((wins > 0) + 0.5 * (wins == 0)), wins.size))
    values, sizes = np.array(parts).T
    value = float(values @ sizes / sizes.sum())
    positive = int(human.model.labels.sum())
    return value, *score_interval(value, positive, len(score) - positive)


def compare_all(mouse: list[Study], human: list[Study], seed: int) -> pd.DataFrame:
    """Return one row for each pair."""
    fixed = observed_t(mouse)
    observed = fixed @ observed_t(human).T
    null_fixed, null_whole = np.empty((2, LABELLINGS, len(mouse), len(human)))
    of_mouse = relabelled_t(mouse, labellings_of(mouse, False, seed))
    of_human = relabelled_t(human, labellings_of(human, True, seed))
    for start, (mice, donors) in zip(range(0, LABELLINGS, BLOCK), zip(of_mouse, of_human, strict=True), strict=True):
        rows = slice(start, start + len(donors))
        null_fixed[rows] = np.einsum("ig,bjg->bij", fixed, donors, optimize=True)
        null_whole[rows] = np.matmul(mice, np.swapaxes(donors, 1, 2))
    spread = null_whole.std(axis=0)
    largest = (null_whole / spread).max(axis=(1, 2))
    rows = []
    for i, one in enumerate(mouse):
        for j, other in enumerate(human):
            agreement: Agreement = compare_changes(one.change, other.change)
            low, high = agreement.interval
            auroc, auroc_low, auroc_high = auroc_of(one, other)
            value = observed[i, j]
            rows.append(
                {
                    "mouse": f"{one.region} {one.sex}", "mice": one.sizes, "human": f"{other.region} {other.sex}",
                    "donors": other.sizes, "rho": agreement.true_correlation, "low": low, "high": high,
                    "r": agreement.observed, "same": agreement.same_changes, "p": p_of(null_fixed[:, i, j], value),
                    "p_whole": p_of(null_whole[:, i, j], value), "p_corrected": p_of(largest, value / spread[i, j]),
                    "auroc": auroc, "auroc_low": auroc_low, "auroc_high": auroc_high,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def p_of(null: np.ndarray, value: float) -> float:
    """Return the one-sided p of a value among random labellings."""
    return float((np.count_nonzero(null >= value - 1e-12) + 1) / (len(null) + 1))


def write_table(pairs: pd.DataFrame, studies: list[Study], counts: dict[str, int], seed: int) -> None:
    """Write ``pairs.csv`` and ``table.md``."""
    pairs.to_csv(HERE / "pairs.csv", index=False, float_format="%.4g")
    genes = len(studies[0].model.names)
    lines = [
        f"`python experiments/mouse_to_human/run.py --seed {seed}`: {genes:,} genes expressed in all studies; orthologs: "
        + ", ".join(f"{count:,} {step}" for step, count in counts.items()) + f"; {LABELLINGS:,} labellings.",
        "", "## Is there anything in each study?", "", "| study | subjects | p of any difference | true change per gene, squared |",
        "|---|---|---|---|",
    ]  # fmt: skip
    for study in studies:
        coefficient = study.change.coefficient
        signal = study.change.square(coefficient) - study.change.noise(coefficient)
        note = " (stress goes with read length)" if study.species == MOUSE and study.region == "PFC" else ""
        lines.append(f"| {study.name}{note} | {study.sizes} | {study.signal.p_value:.2g} | {signal:.3f} |")
    lines += [
        "", "## Every pair", "",
        "PFC of mice: stress goes with read length, so its signature is also that of read length. p: donors relabelled within sex;",
        "whole: mice as well; corrected: over all pairs, whole procedure. rho is empty where a study shows no signal.", "",
        "| mouse | human | rho (95 % interval) | r | r if the same | p | p whole | p corrected | AUROC of the score |",
        "|" + "---|" * 9,
    ]  # fmt: skip
    for row in pairs.to_dict("records"):
        note = ", read length" if row["mouse"].startswith("PFC") else ""
        silent = np.isnan(row["rho"])
        rho = "" if silent else f"{row['rho']:.2f} "
        same = "" if silent else f"{row['same']:.3f}"
        lines.append(
            f"| {row['mouse']}{note} | {row['human']} | {rho}({row['low']:.2f} to {row['high']:.2f}) | {row['r']:.3f} | "
            f"{same} | {row['p']:.2g} | {row['p_whole']:.2g} | {row['p_corrected']:.2g} | {row['auroc']:.2f} "
            f"({row['auroc_low']:.2f} to {row['auroc_high']:.2f}) |"
        )
    (HERE / "table.md").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Compare all pairs and write the tables beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wheels", type=Path, help="folder in which the wheels of `orthologs` lie already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        orthologs = Path(temporary) / "orthologs.tsv"
        counts = write_orthologs(orthologs, arguments.wheels)
        mouse, human = read_studies(orthologs, Path(temporary), arguments.seed)
    pairs = compare_all(mouse, human, arguments.seed)
    write_table(pairs, [*mouse, *human], counts, arguments.seed)
    print((HERE / "table.md").read_text())


if __name__ == "__main__":
    main()
