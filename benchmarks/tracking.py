"""What MLflow adds to a `train`: processor seconds of one job, of loading MLflow, and of sending the finished run.

Sent once to a store that is not there yet and once more to the same store, as every later run is. Processor seconds, since they
stand still while other work holds the machine; one worker, so that all of them are this process's.

    python benchmarks/tracking.py configs/pfc.yaml
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from measure import timed

from responder_ml.config import load_config
from responder_ml.job_sections import ComputeConfig
from responder_ml.tracking.mlflow import send
from responder_ml.train import SERVING, train

HERE = Path(__file__).parent


def load_mlflow() -> None:
    """Import what sending needs."""
    import mlflow.pyfunc  # noqa: F401


def main() -> None:
    """Train, send twice and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    arguments = parser.parse_args()
    job = load_config(arguments.config).model_copy(update={"compute": ComputeConfig(workers=1)})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        out, bundle, store = folder / "run", folder / "bundle", f"sqlite:///{folder / 'mlflow.db'}"
        trained, run = timed(lambda: train(job, out, bundle))
        loaded, _ = timed(load_mlflow)
        first, _ = timed(lambda: send(run, out, bundle, loader=SERVING, uri=store))
        # Another seed is another run to MLflow, and as large.
        other = replace(run, result={**run.result, "seed": run.result.seed + 1})
        again, _ = timed(lambda: send(other, out, bundle, loader=SERVING, uri=store))
    lines = [
        f"`python benchmarks/tracking.py {arguments.config}`: processor seconds, one worker; {len(run.result['candidates'])} "
        f"candidates, {len(run.tables['trials']):,} trials.",
        "",
        "| what | seconds | share of train |",
        "|---|---|---|",
        *(
            f"| {name} | {spent:.2f} | {spent / trained.processor:.1%} |"
            for name, spent in {
                "train": trained.processor,
                "load MLflow": loaded.processor,
                "send to a new store (made once)": first.processor,
                "send to a store that is there": again.processor,
                "load and send, store there": (loaded + again).processor,
            }.items()
        ),
    ]
    text = "\n".join(lines) + "\n"
    (HERE / "tracking.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
