"""The model card stored in a bundle: intended use, data, performance and limits.

References
----------
Mitchell M et al. (2019) Model cards for model reporting. doi:10.1145/3287560.3287596
"""

from markupsafe import Markup

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.run import Run
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
    return render("card.md", {
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


def escape(text: object) -> str:
    """Return text that Markdown shows as it is, on one line; HTML in it stays text."""
    safe = str(Markup.escape(" ".join(str(text).split())))
    for mark in "\\`*_[]|":
        safe = safe.replace(mark, f"\\{mark}")
    return safe


def _joined(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
