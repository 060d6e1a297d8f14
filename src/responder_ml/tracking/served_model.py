"""A bundle as an MLflow model: logged beside its run, and registered on request."""

import json
import re
from pathlib import Path
from typing import Any

from responder_ml.bundles.worth import Worth
from responder_ml.records.run import Run
from responder_ml.temporary_folder import temporary_folder
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
        Importable module whose ``_load_pyfunc(path)`` serves the bundle.
    """
    from mlflow import pyfunc
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    outputs = client.get_run(run_id).outputs
    if outputs and outputs.model_outputs:
        return str(outputs.model_outputs[0].model_id)
    worth = Worth.of(run.result.content())
    tags = {"verdict": worth.level, "worth": worth.sentence, "job": run.name}
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
        )
        client.log_model_artifacts(model_id, str(saved))
    client.finalize_logged_model(model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
    return model_id


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
