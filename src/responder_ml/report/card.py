"""The model card stored in a bundle: intended use, data, performance and limits.

It begins with the same in keys that the Hugging Face Hub reads (front matter in YAML with a model index), so that a bundle's folder
can be shared there as it is; names of keys and kinds are the Hub's.

References
----------
Mitchell M et al. (2019) Model cards for model reporting. doi:10.1145/3287560.3287596
"""

from html import escape as escape_html
from typing import Any

import yaml

from responder_ml.report.card_facts import CardFacts
from responder_ml.report.numbers import is_missing
from responder_ml.report.template import render

# Names of metrics on the Hub that differ from ours.
_HUB_NAMES = {"auroc": "roc_auc", "spearman": "spearmanr", "r2": "r_squared"}


def render_card(facts: CardFacts) -> str:
    """Return a model card as Markdown."""
    return front_matter(facts) + render("card.md", {"facts": facts, "escape": escape})


def front_matter(facts: CardFacts) -> str:
    """Return the card's keys for the Hugging Face Hub, between lines of three dashes."""
    metrics = [
        {
            "type": _HUB_NAMES.get(measure.metric, measure.metric),
            "value": round(float(measure.value), 6),
            "name": f"{measure.label}, out of fold",
            "verified": False,
        }
        for measure in facts.measures
        if measure.metric and measure.value is not None and not is_missing(measure.value)
    ]
    evaluation = {
        "task": {"type": facts.task, "name": facts.task_name},
        "dataset": {
            "type": "simulated" if facts.warning else "gene-expression",
            "name": facts.name,
            "revision": facts.digest,
        },
        "metrics": metrics,
    }
    keys: dict[str, Any] = {
        "library_name": "responder_ml",
        "pipeline_tag": facts.task,
        "tags": list(facts.tags),
        # The Hub takes a result only with its numbers.
        **({"model-index": [{"name": facts.name, "results": [evaluation]}]} if metrics else {}),
    }
    return f"---\n{yaml.safe_dump(keys, sort_keys=False, allow_unicode=True)}---\n\n"


def escape(text: object) -> str:
    """Return text that Markdown shows as it is, on one line; HTML in it stays text."""
    safe = escape_html(" ".join(str(text).split()), quote=False)
    for mark in "\\`*_[]|":
        safe = safe.replace(mark, f"\\{mark}")
    return safe
