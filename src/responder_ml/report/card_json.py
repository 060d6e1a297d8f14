"""The model card for programs: a bill of materials by CycloneDX 1.6 whose one component is the model, with its ``modelCard``.

It has the facts of ``card.md``. The same facts give the same bytes: there is no time of writing, and the serial number is derived
from the content.

References
----------
OWASP CycloneDX 1.6, ECMA-424: https://cyclonedx.org/docs/1.6/json/
"""

import json
from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from responder_ml.report.card_facts import CardFacts, Measure
from responder_ml.report.numbers import Value, is_missing

_SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_PROGRAM, _LICENCE = "responder_ml", "MIT"
# The distribution's name, under which versions hold the program's own.
_OWN_VERSIONS = ("responder-ml", "responder_ml")


def render_card_json(facts: CardFacts) -> str:
    """Return a model card as CycloneDX JSON."""
    content = {
        "version": 1,
        "metadata": {"tools": {"components": [_program(facts)]}},
        "components": [_model(facts)],
    }
    serial = uuid5(NAMESPACE_URL, json.dumps(content, sort_keys=True))
    header = {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
    }
    return json.dumps({**header, **content}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _program(facts: CardFacts) -> dict[str, Any]:
    version = next((facts.versions[name] for name in _OWN_VERSIONS if name in facts.versions), None)
    return {
        "type": "application",
        "name": _PROGRAM,
        **({"version": version} if version else {}),
        "licenses": [{"license": {"id": _LICENCE}}],
    }


def _model(facts: CardFacts) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": facts.name,
        "description": " ".join(filter(None, (facts.warning, facts.conclusion))),
        "modelCard": {
            "modelParameters": _parameters(facts),
            "quantitativeAnalysis": {"performanceMetrics": [_metric(measure) for measure in facts.measures if _known(measure)]},
            "considerations": {
                "users": [facts.users],
                "useCases": [facts.use],
                "technicalLimitations": [*_caveats(facts), *facts.limits],
            },
        },
        "properties": _properties(facts),
        "tags": list(facts.tags),
    }  # fmt: skip


def _parameters(facts: CardFacts) -> dict[str, Any]:
    dataset = {
        "type": "dataset",
        "bom-ref": "data",
        "name": f"{facts.name}: the cohort",
        "contents": {"properties": [_property(fact.key, fact.text) for fact in facts.data]},
    }
    family = {"architectureFamily": ", ".join(facts.families)} if facts.families else {}
    return {
        "approach": {"type": "supervised"},
        "task": facts.task,
        **family,
        "modelArchitecture": facts.architecture,
        "datasets": [dataset],
        "inputs": [{"format": facts.inputs}] if facts.inputs else [],
        "outputs": [{"format": facts.outputs}] if facts.outputs else [],
    }


def _known(measure: Measure) -> bool:
    return not is_missing(measure.value)


def _metric(measure: Measure) -> dict[str, Any]:
    metric: dict[str, Any] = {"type": measure.label, "value": _number(measure.value)}
    if measure.slice:
        metric["slice"] = measure.slice
    if measure.interval is not None and not any(map(is_missing, measure.interval)):
        metric["confidenceInterval"] = dict(
            zip(("lowerBound", "upperBound"), map(_number, measure.interval), strict=True)
        )
    return metric


def _number(value: Value) -> str:
    """Return a number as the schema wants it, as text; six digits, of a small p its significant ones."""
    return f"{float(value or 0.0):.6g}"


def _caveats(facts: CardFacts) -> Iterable[str]:
    """Return what the verdict and the design say against the model, most important first."""
    return filter(
        None, (facts.warning, f"{facts.verdict}. {facts.meaning}", facts.timing, facts.misuse, facts.evaluated)
    )


def _properties(facts: CardFacts) -> list[dict[str, str]]:
    properties = [
        _property("simulated", str(bool(facts.warning)).lower()),
        _property("confidence_level", "0.95"),
        _property("seed", facts.seed),
        # The user's to choose; a job has no key for it.
        _property("licence_of_model", "not stated"),
    ]
    if facts.lock is not None:
        properties += [_property("lock", facts.lock.sentence), _property("lock:digest", facts.lock.digest)]
    properties += [_property("genes", sentence) for sentence in facts.genes]
    properties += [_property("how_to_read", sentence) for sentence in facts.reading]
    return [*properties, *(_property(f"version:{name}", version) for name, version in facts.versions.items())]


def _property(key: str, value: object) -> dict[str, str]:
    return {"name": f"{_PROGRAM}:{key}", "value": str(value)}
