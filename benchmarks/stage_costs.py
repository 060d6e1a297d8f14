"""Processor time of one labelling in each stage of a training, on one core: what `responder_ml.forecast` weighs stages by.

    python benchmarks/stage_costs.py configs/pfc.yaml

Prints a table. With fixed forms each stage is run twice and the second time counts: the first one compiles.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from responder_ml.build import prepare_job
from responder_ml.config import load_config
from responder_ml.evaluation.early_gene_ablation import ablate_early_genes
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.explanation.call_out import REPEATS, _largest, _strengths
from responder_ml.features.normalise import log2_expression
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.statistics.seeds import generator


def main() -> None:
    """Time every stage of a job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    job = load_config(parser.parse_args().config)
    prepared = prepare_job(job)
    labelled, plan = prepared.labelled, prepared.feasible.plan
    log2 = log2_expression(labelled.expression, str(labelled.cohort.uns["units"]))
    procedure = Procedure(SearchData.of(labelled), prepared.feasible.candidates, plan, Workers(1))
    # A tuned draw takes seconds: one repeat of it is enough.
    repeats = 1 if plan.trials else plan.repeats
    observed = procedure.observe(labelled.labels, repeats)
    drawn = list(draw_labellings(labelled.labels, labelled.strata, 8, generator(job.seed, "stage costs")))
    few = min(REPEATS, repeats)
    largest = partial(_largest, partial(_strengths, labelled.genes, labelled.subject_of, log2))
    stages: dict[str, tuple[Callable[[], object], int]] = {
        "relabelled": (lambda: list(procedure.statistics(drawn, repeats=repeats)), len(drawn) * repeats),
        "observed": (lambda: procedure.observe(labelled.labels, repeats), repeats),
        "without early genes": (lambda: ablate_early_genes(procedure, observed), repeats),
        "relabelled and explained": (lambda: procedure.summaries(largest, drawn, few), len(drawn) * few),
        "final fit": (lambda: procedure.refit(labelled.labels), 1),
    }
    print(f"{plan}\n\n| stage | seconds a draw | relabelled draws |\n|---|---|---|")
    unit = None
    for name, (work, draws) in stages.items():
        seconds = [_processor_time(work) / draws for _ in range(1 if plan.trials else 2)][-1]
        unit = unit or seconds
        print(f"| {name} | {seconds:.4f} | {seconds / unit:.1f} |", flush=True)


def _processor_time(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
