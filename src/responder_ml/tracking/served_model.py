"""A bundle as an MLflow model: logged beside its run, and registered on request."""

import importlib.util
import json
import re
import time
from pathlib import Path
from typing import Any

from responder_ml.bundles.worth import Worth
from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.run import Run
from responder_ml.temporary_folder import temporary_folder
from responder_ml.tracking.items import metrics
from responder_ml.tracking.run_records import dataset_input
from responder_ml.versions import installed_package, version_of

_VERSIONS = "mlflow.modelVersions"


def send_model(client: Any, experiment_id: str, run_id: str, run: Run, bundle: Path, loader: str) -> str:
    """Send the bundle as a model, unless the run already has one; return the model's id.

    Parameters
    ----------
    client, experiment_id, run_id
        MLflow's client, and the ids of the experiment and of the run.
    run, bundle
        The run, and the folder of its bundle.
    loader
        Importable module whose ``_load_pyfunc(path)`` serves the bundle, and whose ``example(path)``, if it has one, returns a
        table and its scores.
    """
    from mlflow import pyfunc
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    outputs = client.get_run(run_id).outputs
    if outputs and outputs.model_outputs:
        return str(outputs.model_outputs[0].model_id)
    worth = Worth.of(run.result.content())
    tags = {"verdict": worth.level, "worth": worth.sentence, "job": run.name}
    tags["mlflow.note.content"] = _description(run, worth)
    example, signature = _example(loader, bundle)
    refit = run.result.refit
    model_params = {"candidate": ""} if refit is None else {"candidate": refit.candidate, **refit.params}
    if refit is not None and len(refit.members) > 1:
        for member in refit.members:
            named = plain_name(member.name)
            model_params |= {f"{named}.weight": member.weight}
            model_params |= {f"{named}.{key}": value for key, value in member.params.items()}
    model = client.create_logged_model(
        experiment_id,
        name=plain_name(run.name),
        source_run_id=run_id,
        tags=tags,
        params={key: str(value) for key, value in model_params.items()},
        model_type="responder_ml",
    )
    model_id = str(model.model_id)
    with temporary_folder() as folder:
        saved = folder / "model"
        pyfunc.save_model(
            str(saved),
            loader_module=loader,
            data_path=str(bundle),
            mlflow_model=Model(artifact_path=model.artifact_location, run_id=run_id, model_id=model_id),
            pip_requirements=_requirements(),
            input_example=example,
            signature=signature,
        )
        client.log_model_artifacts(model_id, str(saved))
    client.finalize_logged_model(model_id, "READY")
    client.log_batch(run_id, metrics=_metrics(run, model_id, run_id))
    client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
    return model_id


def _metrics(run: Run, model_id: str, run_id: str) -> list[Any]:
    """Return the run's metrics as those of its model on its data: out of fold, for the model itself is never evaluated."""
    from mlflow.entities import Metric

    headline, null, dataset = run.result.headline, run.result.null, dataset_input(run)
    low, high = headline.auroc_ci
    values = {metric.name: headline.metric(metric.name) for metric in METRICS}
    values |= {"auroc_low": low, "auroc_high": high, "p_value": None if null is None else null.p_value}
    now = int(time.time() * 1000)
    return [
        Metric(item.key, item.value, now, 0, model_id, dataset.name, dataset.digest, run_id) for item in metrics(values)
    ]


def _example(loader: str, bundle: Path) -> tuple[Any, Any]:
    """Return a table to post and the signature, from the loader where it has an example; else None twice.

    The signature has the columns of the answer alone. With those of the question MLflow would refuse tables that lack a gene, and
    drop genes of other names before they can be matched.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, Schema

    if importlib.util.find_spec(loader) is None:
        return None, None
    make = getattr(importlib.import_module(loader), "example", None)
    if make is None:
        return None, None
    table, answer = make(bundle)
    kinds = {"b": "boolean", "i": "long", "f": "double"}
    columns = [ColSpec(kinds.get(answer[name].dtype.kind, "string"), name, required=False) for name in answer.columns]
    return table, ModelSignature(outputs=Schema(columns))


def _description(run: Run, worth: Worth) -> str:
    endpoint = run.result.endpoint
    return "\n\n".join(
        [
            *(["**Simulated data: nothing here is a finding about real animals.**"] if run.result.simulated else []),
            f"{worth.sentence} {worth.verdict}",
            f"Tells {endpoint.positive} from {endpoint.negative}. Post samples in rows and genes in columns, in {endpoint.units}; "
            "a column `sample` names them. Genes are matched by name; the columns of the answer are described in docs/scoring.md.",
            "Metrics are of the whole procedure, out of fold: this model was fitted to all subjects afterwards and not evaluated.",
        ]
    )


def register_model(client: Any, model_id: str, run_id: str, run: Run) -> None:
    """Register a model as a version of the job's model, unless it already is one; the version carries the verdict."""
    from mlflow.exceptions import MlflowException

    if _VERSIONS in client.get_logged_model(model_id).tags:
        return
    try:
        client.create_registered_model(run.name)
    except MlflowException as problem:
        if problem.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    worth = Worth.of(run.result.content())
    version = client.create_model_version(
        run.name,
        source=f"models:/{model_id}",
        run_id=run_id,
        description=f"{worth.sentence} {worth.verdict}",
        tags={"verdict": worth.level},
        model_id=model_id,
    )
    versions = [{"name": run.name, "version": version.version}]
    client.set_logged_model_tags(model_id, {_VERSIONS: json.dumps(versions)})


def plain_name(name: str) -> str:
    """Return a name with the characters that MLflow or file systems refuse replaced."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _requirements() -> list[str]:
    """Return the packages that serving a bundle needs, at the versions that made it."""
    libraries = ("responder-ml", "mlflow", "numpy", "scipy", "pandas", "scikit-learn", "skops", "xgboost")
    return [f"{installed_package(library)}=={version_of(library)}" for library in libraries]
