"""What a paper needs of a run: a methods paragraph with references, reporting checklists, and how to reproduce it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import yaml

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.errors import UnknownNameError
from responder_ml.features.builders import BUILDERS
from responder_ml.features.signatures import SCORERS
from responder_ml.records.run import Run
from responder_ml.registry import Registry
from responder_ml.report.guidelines import GUIDELINES
from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.references import Bibliography, Reference, of_registry
from responder_ml.report.section import Section, table

_NORMALISATIONS = ("log_cpm", "tmm")
# Where a run is logged and on how many cores it ran change no number, and a store's address may hold a password.
_CHANGES_NOTHING = ("tracking", "compute")


@dataclass(frozen=True)
class Part:
    """A builder or classifier as it stood in the job."""

    name: str
    summary: str
    reference: Reference | None
    params: str


class Methods(Section):
    """Text for the methods section of a paper, valid for this run only."""

    title = "Methods"
    anchor = "methods"

    def content(self, run: Run) -> Mapping[str, Any]:
        """Return the values of the paragraph's template."""
        works = Bibliography()
        result, config = run.result, run.config
        return {
            "n": result.n,
            "endpoint": result.endpoint,
            "simulated": result.simulated,
            "headline": result.headline,
            "trained": not table(run, "out_of_fold").empty,
            "builders": [_part(builder, BUILDERS) for builder in config.get("builders", [])],
            "scorers": _scorers(config.get("builders", [])),
            "normalisations": _normalisations(config, result.endpoint.units),
            "classifiers": [_part(classifier, CLASSIFIERS) for classifier in config.get("classifiers", [])],
            "trees": any(classifier.get("kind") == "xgboost" for classifier in config.get("classifiers", [])),
            "search": {**config.get("search", {}), **result.search.model_dump()},
            "null": result.null,
            "global_test": result.global_test,
            "baselines": [baseline.name for baseline in result.baselines],
            "compared": bool(table(run, "genes")["null_high"].notna().any()),
            "explained": not table(run, "genes").empty,
            "stability": result.stability,
            "refit": result.refit,
            "version": result.versions.get("responder-ml") or result.versions.get("responder_ml"),
            "seed": result.seed,
            "cite": works.cite,
            "works": works,
        }


def _scorers(builders: Sequence[Mapping[str, Any]]) -> list[Part]:
    """Return the scorers that builders name or have by default."""
    names = [_parameter(builder, "scorer") for builder in builders]
    return [_part({"kind": name}, SCORERS) for name in dict.fromkeys(names) if name is not None]


def _normalisations(config: Mapping[str, Any], units: str) -> list[str]:
    """Return how counts were brought to the log2 scale; other units are not normalised."""
    if units != "counts":
        return []
    names = {_parameter(builder, "normalisation") for builder in config.get("builders", [])}
    return sorted(name for name in names if name in _NORMALISATIONS)


def _parameter(component: Mapping[str, Any], name: str) -> str | None:
    """Return a parameter of a builder as it was set, or its default; None where the builder has no such parameter."""
    value = (component.get("params") or {}).get(name)
    if value is not None or component["kind"] not in BUILDERS.names():
        return None if value is None else str(value)
    known = signature(BUILDERS[component["kind"]]).parameters
    return str(known[name].default) if name in known else None


def _part(component: Mapping[str, Any], registry: Registry[Any]) -> Part:
    kind = str(component["kind"])
    name = str(component.get("name") or kind)
    params = ", ".join(_worded(key, value) for key, value in (component.get("params") or {}).items() if key != "scorer")
    try:
        member = registry[kind]
    except UnknownNameError:
        # The run was made by a version that knew more; its report can still be rebuilt.
        return Part(name, "not described by this version", None, params)
    # What follows a semicolon in a summary is advice on when to use it.
    return Part(name, member.summary.split(";")[0], of_registry(kind, member.reference), params)


def _worded(key: str, value: Any) -> str:
    """Return a parameter as text; of a file its name, since its folder means nothing elsewhere."""
    return f"{key} = {Path(value).name if key == 'path' else value}"


class Checklist(Section):
    """One table per guideline: filled, not applicable, or left to the author."""

    title = "Reporting checklists"
    anchor = "checklist"

    def content(self, run: Run) -> Mapping[str, Any]:
        """Return the items of every guideline and the number of items by status."""
        facts = Facts.of(run)
        checklists = []
        for guideline in GUIDELINES:
            items = guideline.items(facts)
            checklists.append({"guideline": guideline, "items": items, "tally": Counter(item.status for item in items)})
        return {"checklists": checklists}


class Reproduce(Section):
    """Command, configuration, versions, seed and digest."""

    title = "How to reproduce this"
    anchor = "reproduce"

    def content(self, run: Run) -> Mapping[str, Any]:
        """Return the values needed for a rerun."""
        config = {key: value for key, value in run.config.items() if key not in _CHANGES_NOTHING}
        timings = run.result.timings
        return {
            "config": yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
            "versions": run.result.versions,
            "seed": run.result.seed,
            "digest": run.result.data_sha256,
            "timings": [(name.removesuffix("_s").replace("_", " "), seconds) for name, seconds in timings.items()],
        }
