"""What can be told of a job from its configuration alone: parameters by value, and a label that stands in the wrong place."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from responder_ml.config import JobConfig
from responder_ml.endpoint_config import EndpointConfig
from responder_ml.errors import ConfigError
from responder_ml.features.builders.builder import Builder
from responder_ml.features.signatures import SCORERS
from responder_ml.job_sections import ComponentConfig
from responder_ml.parameters import check_values
from responder_ml.registry import did_you_mean


def check_params(owner: str, target: Any, params: Mapping[str, Any], hidden: Sequence[str]) -> None:
    """Refuse parameters that a class or function does not have, and values that it does not take.

    Parameters
    ----------
    owner
        What takes them, as in "classifier 'elastic_net'".
    target
        The class or function.
    params
        Values by name.
    hidden
        Parameters that are set elsewhere.

    Raises
    ------
    ConfigError
        With the name or the values in question.
    """
    known = [name for name in inspect.signature(target).parameters if name not in hidden]
    for key in params:
        if key not in known:
            hint = did_you_mean(key, known) if known else "It has none."
            raise ConfigError(f"{owner} has no parameter '{key}'. {hint}")
    check_values(owner, target, params)


def check_scorer(component: ComponentConfig) -> None:
    """Check a builder's scorer, and the parameters that are handed on to it."""
    scorer, params = component.params.get("scorer"), component.params.get("scorer_params")
    if scorer is not None and params:
        check_params(f"scorer '{scorer}'", SCORERS[scorer], params, ())
    elif scorer is not None:
        SCORERS[scorer]


def check_builder(component: ComponentConfig, kind: type[Builder], endpoint: EndpointConfig) -> None:
    """Check a builder's parameters, with those of its scorer, and that none of them names the label."""
    owner = f"builder '{component.kind}'"
    # Units are those of the job.
    check_params(owner, kind, component.params, ("units",))
    check_scorer(component)
    refuse_label(owner, component.params.get("covariates", ()), endpoint)


def unique_name(component: ComponentConfig, taken: Mapping[str, Any], family: str) -> str:
    """Return a component's name, which no other of its family may have."""
    name = component.name or component.kind
    if name in taken:
        raise ConfigError(f"Two {family}s are called '{name}'. Give one of them its own `name`.")
    return name


def refuse_label(owner: str, columns: Sequence[str], endpoint: EndpointConfig) -> None:
    """Refuse to hold the label itself constant, or to compare within it: nothing would be left to find."""
    if endpoint.column in columns:
        raise ConfigError(
            f"{owner} names the column '{endpoint.column}', which is the endpoint's label. Name nuisances such as batch or sex, "
            "and never the label itself."
        )


def refuse_label_elsewhere(job: JobConfig) -> None:
    """Refuse a job that names its own label among strata, nuisances or covariates."""
    for section, columns in (
        ("endpoint.strata", job.endpoint.strata),
        ("endpoint.nuisance", job.endpoint.nuisance),
        ("endpoint.adjust", job.endpoint.adjust),
        ("endpoint.block", () if job.endpoint.block is None else (job.endpoint.block,)),
        ("claims.covariates", job.claims.covariates),
        ("claims.strata", job.claims.strata),
    ):
        refuse_label(section, columns, job.endpoint)
