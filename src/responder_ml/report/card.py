"""The model card stored in a bundle: intended use, data, performance and limits.

It begins with the same in keys that the Hugging Face Hub reads (front matter in YAML with a model index), so that a bundle's folder
can be shared there as it is; names of keys and kinds are the Hub's.

References
----------
Mitchell M et al. (2019) Model cards for model reporting. doi:10.1145/3287560.3287596
"""

from typing import Any

import yaml
from markupsafe import Markup

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.run import Run
from responder_ml.report.numbers import is_missing
from responder_ml.report.section import table
from responder_ml.report.template import render
from responder_ml.report.verdict import NAMES, corrected_for_jobs

_GENES = 10


def render_card(run: Run) -> str:
    """Return the model card of a run as Markdown.

    Parameters
    ----------
    run
        What ``train`` left behind, or `read_run` read back.
    """
    result = run.result
    genes = table(run, "genes").sort_values(["contribution", "gene"], ascending=[False, True])
    return front_matter(run) + render("card.md", {
        "name": escape(run.name),
        "simulated": result.simulated,
        "verdict": NAMES.get(result.verdict.level, result.verdict.level),
        "sentence": escape(result.verdict.sentence),
        "endpoint": {
            "positive": escape(result.endpoint.positive),
            "negative": escape(result.endpoint.negative),
            "column": escape(result.endpoint.column),
            "where": ", ".join(f"{escape(key)} = {escape(_joined(value))}" for key, value in result.endpoint.where.items()),
            "units": escape(result.endpoint.units),
            "timing": escape(describe_timing(result.endpoint.taken)),
            "strata": ", ".join(map(escape, result.endpoint.strata)),
            "nuisance": ", ".join(map(escape, result.endpoint.nuisances)),
        },
        "n": result.n,
        "headline": result.headline,
        "metrics": METRICS[1:],
        "null": result.null,
        "global_test": result.global_test,
        "sensitivity": result.split_sensitivity,
        "jobs": result.jobs_on_data,
        "lock": result.lock,
        "corrected_p": corrected_for_jobs(result),
        "baselines": [{"name": escape(baseline.name), "auroc": baseline.auroc} for baseline in result.baselines],
        "findings": [
            {"code": finding.code, "message": escape(finding.message)}
            for finding in result.audit
            if finding.severity != "info"
        ],
        "refit": result.refit,
        "genes": [escape(gene) for gene in genes.loc[genes["contribution"] > 0, "gene"].head(_GENES)],
        "called": [escape(gene) for gene in genes.loc[genes["called_out"] == 1, "gene"]],
        "versions": result.versions,
        "seed": result.seed,
        "digest": result.data_sha256,
    })  # fmt: skip


def front_matter(run: Run) -> str:
    """Return the card's keys for the Hugging Face Hub, between lines of three dashes.

    Parameters
    ----------
    run
        As for `render_card`.
    """
    result, headline = run.result, run.result.headline
    tags = ["gene-expression", "tabular-classification", "responder-ml", f"verdict:{result.verdict.level}"]
    values = {"roc_auc": headline.auroc, **{metric.name: headline.metric(metric.name) for metric in METRICS[1:]}}
    labels = {"roc_auc": "AUROC", **{metric.name: metric.label for metric in METRICS[1:]}}
    metrics = [
        {"type": name, "value": round(float(value), 6), "name": f"{labels[name]}, out of fold", "verified": False}
        for name, value in values.items()
        if value is not None and not is_missing(value)
    ]
    evaluation = {
        "task": {"type": "tabular-classification", "name": f"{result.endpoint.positive} or {result.endpoint.negative}"},
        "dataset": {
            "type": "simulated" if result.simulated else "gene-expression",
            "name": run.name,
            "revision": result.data_sha256,
        },
        "metrics": metrics,
    }
    keys: dict[str, Any] = {
        "library_name": "responder_ml",
        "pipeline_tag": "tabular-classification",
        "tags": [*tags, "simulated"] if result.simulated else tags,
        # The Hub takes a result only with its numbers.
        **({"model-index": [{"name": run.name, "results": [evaluation]}]} if metrics else {}),
    }
    return f"---\n{yaml.safe_dump(keys, sort_keys=False, allow_unicode=True)}---\n\n"


def escape(text: object) -> str:
    """Return text that Markdown shows as it is, on one line; HTML in it stays text."""
    safe = str(Markup.escape(" ".join(str(text).split())))
    for mark in "\\`*_[]|":
        safe = safe.replace(mark, f"\\{mark}")
    return safe


def _joined(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
