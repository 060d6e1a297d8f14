"""Simulated pairs of studies: does `replicate` recover the correlation of their true changes, and does it say what it should?

    python experiments/replication/run.py --pairs 200 --seed 20261129

One process, some minutes. The row of every pair is written to ``results-SEED.jsonl`` beside this file (not committed), so that an
interrupted call goes on where it stopped; the tables go to ``table.md``. 1,500 genes with variances of their own and 15 modules
of correlated noise; nothing is trained.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from responder_ml.contrasts.called_again import CallRule, SecondStudy, call_again, observed_again
from responder_ml.contrasts.study_change import StudyChange
from responder_ml.contrasts.true_correlation import compare_changes, shared_control_correlation
from responder_ml.evaluation.class_model import ClassModel
from responder_ml.evaluation.replication import Replication, compare_studies, conclude
from responder_ml.statistics.seeds import generator

GENES, MODULES, LOAD = 1500, 15, 0.6
SIZES = (((6, 7), (6, 7)), ((10, 10), (10, 10)), ((6, 7), (20, 20)))
KINDS, CORRELATIONS = ("dense", "sparse", "modules"), (0.0, 0.5, 0.9)
SHARED = (((3, 5), (4, 5), 5), ((3, 4), (4, 4), 4), ((6, 7), (6, 7), 7), ((6, 7), (8, 10), 3))
RULE = CallRule()


@dataclass(frozen=True)
class Cell:
    """One simulated design; ``what`` names the table it is of."""

    what: str
    sizes: tuple[tuple[int, int], tuple[int, int]]
    rho: float = 0.0
    kind: str = "dense"
    effect: float = 0.4
    heavy: bool = False
    shared: int = 0

    @property
    def name(self) -> str:
        """The key of its rows."""
        (one, two), (three, four) = self.sizes
        tails = " heavy" if self.heavy else ""
        return f"{self.what} {one}v{two} {three}v{four} {self.kind}{tails} rho {self.rho:g} effect {self.effect:g} {self.shared}"


def cells() -> Iterator[Cell]:
    """Yield every design."""
    for sizes in SIZES:
        yield Cell("null", sizes, effect=0.0)
        for kind in KINDS:
            yield from (Cell("interval", sizes, rho, kind) for rho in CORRELATIONS)
            yield Cell("again", sizes, 1.0, kind)
        yield Cell("interval", sizes, 0.5, "dense", heavy=True)
        yield Cell("interval", sizes, 0.5, "modules", effect=0.8)
        yield from (Cell("level", sizes, rho, kind) for kind in ("dense", "modules") for rho in (0.0, 0.9))
        yield Cell("again", sizes, 1.0, effect=0.0)
    for first, second, shared in SHARED:
        yield Cell("shared", (first, second), effect=0.0, shared=shared)


def simulate(cell: Cell, rng: np.random.Generator) -> tuple[list[ClassModel], np.ndarray, float]:
    """Return two studies, who is in both, and the correlation of their true changes over these genes."""
    load = rng.normal(0.0, LOAD, (MODULES, GENES)) * (rng.random((MODULES, GENES)) < 0.1)
    sd = np.exp(rng.normal(0.0, 0.5, GENES))
    true = correlated(rng, cell.rho, GENES)
    if cell.kind == "sparse":
        true *= (rng.random(GENES) < 0.05) / np.sqrt(0.05)
    if cell.kind == "modules":
        true = correlated(rng, cell.rho, MODULES) @ load
        true /= true.std(axis=1, keepdims=True)

    def noise(count: int) -> np.ndarray:
        alone = rng.standard_t(4, (count, GENES)) / np.sqrt(2) if cell.heavy else rng.standard_normal((count, GENES))
        together = alone + rng.standard_normal((count, MODULES)) @ load
        return together / np.sqrt(1.0 + (load**2).sum(axis=0))

    common, studies = noise(cell.shared), []
    for size, change in zip(cell.sizes, cell.effect * true, strict=True):
        labels = np.r_[np.ones(size[0]), np.zeros(size[1])].astype(np.int8)
        errors = noise(sum(size))
        errors[len(errors) - cell.shared :] = common
        log2 = 8.0 + (errors + np.outer(labels, change)) * sd
        names = np.array([f"g{gene}" for gene in range(GENES)])
        alone = np.zeros(len(labels), dtype=np.intp)
        studies.append(ClassModel(log2, np.arange(GENES), names, np.ones((len(labels), 1)), labels, alone))
    first, second = (len(study.labels) for study in studies)
    partner = np.full(first, -1, dtype=np.intp)
    partner[first - cell.shared :] = np.arange(second - cell.shared, second)
    return studies, partner, float(np.corrcoef(true)[0, 1]) if cell.effect else 0.0


def correlated(rng: np.random.Generator, rho: float, count: int) -> np.ndarray:
    """Return two rows of normal numbers of correlation ``rho``."""
    rows = rng.standard_normal((2, count))
    rows[1] = rho * rows[0] + np.sqrt(1.0 - rho**2) * rows[1]
    return rows


def run_pair(cell: Cell, seed: int, number: int) -> dict[str, float | str | None]:
    """Simulate and compare one pair."""
    studies, partner, true = simulate(cell, generator(seed, cell.name, number))
    if cell.what in ("null", "level"):
        outcome: Replication = compare_studies(*studies, partner, RULE, seed + number)
        agreement, again, both = outcome.agreement, outcome.again, int(outcome.observed_again.sum())
        extra = {
            "p_first": outcome.first_p.p_value, "p_second": outcome.second_p.p_value
        }  # fmt: skip
    else:
        first, second = (StudyChange.of(study.log2, study.design) for study in studies)
        agreement = compare_changes(first, second, partner)
        weight = float(np.linalg.norm(second.coefficient.weights))
        again = call_again(first, agreement.signals[0], SecondStudy(weight, second.total_df, second.sd), RULE)
        both, extra = int(observed_again(first, second, RULE).sum()), {}
    low, high = agreement.interval
    rho = agreement.true_correlation
    return {
        "true": true, "rho": None if np.isnan(rho) else rho, "low": low, "high": high, "observed": agreement.observed,
        "same": agreement.same_changes, "no_effect": agreement.no_effect, "called": again.n_called, "expected": again.expected,
        "chance": again.chance, "both": both, **extra,
    }  # fmt: skip


def main() -> None:
    """Simulate what is not there yet, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261129)
    arguments = parser.parse_args()
    path = Path(__file__).parent / f"results-{arguments.seed}.jsonl"
    rows: dict[str, dict[int, dict]] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            row = json.loads(line)
            rows.setdefault(row["cell"], {})[row["pair"]] = row
    start = time.process_time()
    with path.open("a") as file:
        for cell in cells():
            of_cell = rows.setdefault(cell.name, {})
            for number in range(arguments.pairs):
                if number not in of_cell:
                    of_cell[number] = {"cell": cell.name, "pair": number, **run_pair(cell, arguments.seed, number)}
                    file.write(json.dumps(of_cell[number]) + "\n")
            file.flush()
            print(f"{time.process_time() - start:6.0f} s  {cell.name}", flush=True)
    numbers = {name: list(of_cell.values())[: arguments.pairs] for name, of_cell in rows.items()}
    text = "\n".join(tables(numbers, arguments.pairs, arguments.seed)) + "\n"
    (path.parent / "table.md").write_text(text)
    print(text)


def tables(rows: dict[str, list[dict]], pairs: int, seed: int) -> Iterator[str]:
    """Yield the lines of the four tables."""
    error = np.sqrt(0.95 * 0.05 / pairs)
    yield f"Simulated. `python experiments/replication/run.py --pairs {pairs} --seed {seed}`: {pairs} pairs of studies a row,"
    yield f"{GENES:,} genes; the standard error of a share of 0.95 is {error:.3f}."
    yield from ("", "## The interval of the correlation of true changes", "")
    yield "True changes are of standard deviation `effect` in units of each gene's noise: of all genes, of one in twenty"
    yield "(sparse), or along the modules in which noise goes together. `no signal`: pairs in which a study's unbiased signal is"
    yield "not above 0."
    yield from (
        "",
        "| studies | changes | effect | planted | mean estimate | covers | mean width | no signal |",
        "|" + "---|" * 8,
    )
    for cell in (cell for cell in cells() if cell.what == "interval"):
        own = rows[cell.name]
        covered = np.mean([row["low"] - 1e-9 <= row["true"] <= row["high"] + 1e-9 for row in own])
        estimate = np.mean([row["rho"] for row in own if row["rho"] is not None])
        silent = np.mean([row["rho"] is None for row in own])
        width = np.mean([row["high"] - row["low"] for row in own])
        kind = f"{cell.kind}, heavy tails (t, 4 df)" if cell.heavy else cell.kind
        numbers = f"{estimate:.2f} | {covered:.3f} | {width:.2f} | {silent:.2f}"
        yield f"| {told(cell)} | {kind} | {cell.effect:g} | {cell.rho:g} | {numbers} |"
    yield from ("", "## Levels", "")
    yield "Without any effect `nothing_to_replicate` should be reached in 0.95. Planted 0 with an effect in both studies: the"
    yield "changes have nothing to do with each other but by chance; along 15 modules they correlate with a standard deviation of"
    yield "0.26, and the mean over pairs that count as replicated is in the last column. `p`: the second study's is at most 0.05."
    levels = ("nothing_to_replicate", "replicated", "not_replicated", "undecided")
    yield from (
        "",
        f"| studies | changes | effect | planted | {' | '.join(levels)} | p | p where true <= 0 | true, replicated |",
        "|" + "---|" * 11,
    )
    for cell in (cell for cell in cells() if cell.what in ("null", "level")):
        own = rows[cell.name]
        shares = [np.mean([level_of(row) == level for row in own]) for level in levels]
        second = np.mean([row["p_second"] <= 0.05 for row in own])
        none = [row["p_second"] <= 0.05 for row in own if row["true"] <= 0.0]
        true = [row["true"] for row in own if level_of(row) == "replicated"]
        numbers = " | ".join(f"{share:.3f}" for share in (*shares, second))
        numbers += f" | {np.mean(none):.3f} | " if none else " |  | "
        numbers += f"{np.mean(true):.2f}" if true else ""
        yield f"| {told(cell)} | {cell.kind} | {cell.effect:g} | {cell.rho:g} | {numbers} |"
    yield from ("", "## Shared controls, no effect", "")
    yield "Mean correlation of the signatures, that which the program sets beside it, and that from group sizes alone."
    yield from ("", "| studies | shared controls | observed | beside it | from group sizes |", "|" + "---|" * 5)
    for cell in (cell for cell in cells() if cell.what == "shared"):
        own = rows[cell.name]
        observed, beside = (np.mean([row[key] for row in own]) for key in ("observed", "no_effect"))
        alone = shared_control_correlation(*cell.sizes, cell.shared)
        yield f"| {told(cell)} | {cell.shared} | {observed:.3f} | {beside:.3f} | {alone:.3f} |"
    yield from ("", "## Genes called again in the same direction, the true changes being the same", "")
    yield f"p at most {RULE.p:g} and a factor of 1.3. Means over pairs; `ratio` is the sum of observed over the sum of expected."
    yield from (
        "",
        "| studies | changes | effect | called | expected | by chance | observed | ratio |",
        "|" + "---|" * 8,
    )
    for cell in (cell for cell in cells() if cell.what == "again"):
        own = rows[cell.name]
        called, expected, chance, both = (
            np.mean([row[key] for row in own]) for key in ("called", "expected", "chance", "both")
        )
        yield (
            f"| {told(cell)} | {cell.kind} | {cell.effect:g} | {called:.0f} | {expected:.1f} | {chance:.1f} | {both:.1f} | "
            f"{both / expected:.2f} |"
        )


def level_of(row: dict) -> str:
    """Return the conclusion of a pair at the level 0.05, which every size here can reach."""
    if row["p_first"] > 0.05:
        return "nothing_to_replicate"
    return conclude((row["low"], row["high"]), row["p_second"], 0.05)


def told(cell: Cell) -> str:
    """Return the sizes of both studies in words."""
    return " and ".join(f"{one} v {two}" for one, two in cell.sizes)


if __name__ == "__main__":
    main()
