"""Show that two versions of the source give the same numbers on the same jobs.

    git worktree add --detach /tmp/before COMMIT
    python benchmarks/same_numbers.py run /tmp/before /tmp/numbers-before
    python benchmarks/same_numbers.py run . /tmp/numbers-after
    python benchmarks/same_numbers.py compare /tmp/numbers-before /tmp/numbers-after

``run`` runs the commands below with the package of a checkout; the jobs, the archived bundles and the real cohorts (where
``../shared/data`` is there) are always those of this checkout. ``compare`` reads every JSON and CSV file of both folders. Times,
versions and paths are not compared; of a sentence the numbers are compared, not the words. Exit code 1 means a difference.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
NOT_COMPARED = {
    "timings",
    "versions",
    "config",
    "created",
    "trained_at",
    "checksums",
    "files",
    "package_version",
    "sha256",
}
"""Keys whose values differ between two runs of one program."""
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")

TUTORIAL = """
name: pfc-response
cohort:
  {source: table, expression: cohort/counts.tsv.gz, samples: cohort/samples.tsv, units: counts, where: {region: PFC}}
endpoint: {column: response, positive: responder, negative: non_responder, strata: [drug], nuisance: [batch]}
builders: [{kind: genes}, {kind: gene_sets, params: {path: cohort/gene_sets.gmt, scorer: singscore}}]
classifiers: [{kind: elastic_net}, {kind: nearest_centroid}]
search: {folds: 5, repeats: 10, inner_folds: 3, trials: 10}
null: {permutations: 99}
tracking: {enabled: false}
seed: 7
"""
SMALL = {"search": {"folds": 5, "repeats": 2, "inner_folds": 3, "trials": 6},
         "null": {"permutations": 39}, "tracking": {"enabled": False}}  # fmt: skip
BUILDERS = [{"kind": kind} for kind in ("genes", "derived", "pairs", "reference")]
CLASSIFIERS = [{"kind": kind} for kind in ("elastic_net", "linear_svm", "xgboost", "signature_threshold")]


def real_jobs() -> dict[str, dict[str, Any]]:
    """Return small jobs on the real cohorts, by name."""
    cvs = SHARED / "gse102556_mouse_cvs"
    stress = {"column": "group", "positive": "stress_CVS", "negative": "control", "strata": ["sex"]}
    duloxetine, pathmed = SHARED / "gse146446_duloxetine", SHARED / "gse224705_pathmed"
    jobs = {
        f"cvs-{region.lower()}": {
            "cohort": {"expression": str(cvs / "expression_counts.tsv.gz"), "samples": str(cvs / "samples.tsv"),
                       "units": "counts", "columns": {"sample": "sample_id"}, "where": {"region": region}},
            "endpoint": {**stress, "nuisance": ["avg_spot_len"]},
        }
        for region in ("NAc", "PFC")
    }  # fmt: skip
    jobs["duloxetine"] = {
        "cohort": {"expression": str(duloxetine / "expression_vst.tsv.gz"), "samples": str(duloxetine / "samples.tsv"),
                   "units": "log2", "columns": {"sample": "sample_id", "subject": "subject_id"}},
        "endpoint": {"column": "response", "positive": "1", "negative": "0"},
    }  # fmt: skip
    jobs["pathmed"] = {
        "cohort": {"expression": str(pathmed / "expression_log2.tsv.gz"), "samples": str(pathmed / "samples.tsv"),
                   "units": "log2", "columns": {"sample": "sample_id", "subject": "patient_key"}},
        "endpoint": {"column": "Response", "positive": "YES", "negative": "NO"},
    }  # fmt: skip
    for name, job in jobs.items():
        job["cohort"]["source"] = "table"
        job |= {"name": name, "builders": [{"kind": "genes"}],
                "classifiers": [{"kind": "elastic_net"}, {"kind": "nearest_centroid"}], **SMALL}  # fmt: skip
    return jobs if SHARED.is_dir() else {}


def commands(out: Path) -> Iterator[list[str]]:
    """Write the jobs into ``out`` and yield the commands in order."""
    (out / "tutorial.yaml").write_text(TUTORIAL)
    tutorial = yaml.safe_load(TUTORIAL)
    several = {**tutorial, "name": "several", "builders": BUILDERS, "classifiers": CLASSIFIERS, **SMALL}
    (out / "several.yaml").write_text(yaml.safe_dump(several))
    all_regions = {**tutorial, "cohort": {**tutorial["cohort"], "where": {}}, "builders": [{"kind": "genes"}], **SMALL}
    (out / "regions.yaml").write_text(yaml.safe_dump(all_regions))
    yield ["simulate", "--out", "cohort"]
    for config in ("pfc", "nac-resilience"):
        yield ["train", str(ROOT / "configs" / f"{config}.yaml"), "--out", config, "--bundle", f"{config}-bundle"]
    for config in ("tutorial", "several"):
        yield ["train", f"{config}.yaml", "--out", config, "--bundle", f"{config}-bundle"]
        yield [
            "score",
            f"{config}-bundle",
            "cohort/counts.tsv.gz",
            "--samples",
            "cohort/samples.tsv",
            "--out",
            f"{config}.csv",
        ]
    yield ["compare", "pfc", "tutorial", "several", "--out", "comparison"]
    yield ["claims", "tutorial.yaml", "--out", "claims-pfc"]
    yield ["claims", "regions.yaml", "--out", "claims-regions"]
    yield ["transfer", "regions.yaml", "--by", "region", "--out", "transfer"]
    yield ["study", str(ROOT / "experiments" / "regions_planted.yaml"), "--out", "study"]
    yield ["selftest", "regions.yaml", "--out", "selftest.json", "--cohorts", "5", "--permutations", "19"]
    yield ["plan", "--strata", "3/3,3/4", "--auroc", "0.8", "--out", "plan.csv"]
    for manifest in sorted((ROOT / "tests" / "archives").glob("*/*/manifest.json")):
        bundle = manifest.parent
        yield [
            "score",
            str(bundle),
            str(bundle.parent / f"{bundle.name}.samples.csv"),
            "--out",
            f"archive-{bundle.name}.csv",
        ]
    for name, job in real_jobs().items():
        (out / f"{name}.yaml").write_text(yaml.safe_dump(job))
        yield ["train", f"{name}.yaml", "--out", name, "--bundle", f"{name}-bundle"]


def run(checkout: Path, out: Path) -> None:
    """Run every command with the package of ``checkout``, in the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(checkout.resolve() / "src"),
        "COLUMNS": "120",
        "OMP_NUM_THREADS": "1",
    }
    for arguments in commands(out):
        print("responder_ml", *arguments, flush=True)
        process = subprocess.run(
            [sys.executable, "-m", "responder_ml", *arguments], cwd=out, env=environment, capture_output=True, text=True
        )
        if process.returncode:
            print(f"  exit code {process.returncode}\n{process.stdout[-1000:]}{process.stderr[-3000:]}", flush=True)


def differences(before: Any, after: Any, where: str) -> Iterator[str]:
    """Yield what differs between two values read from JSON or CSV; times and words are not compared."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _differences_of_objects(before, after, where)
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{where}: {len(before)} and {len(after)} entries"
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from differences(one, other, f"{where}[{index}]")
    elif isinstance(before, str) and isinstance(after, str):
        if NUMBER.findall(before) != NUMBER.findall(after) and not before.startswith("/"):
            yield f"{where}: {before!r} and {after!r}"
    elif before != after:
        yield f"{where}: {before!r} and {after!r}"


def _differences_of_objects(before: Mapping[str, Any], after: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield what differs between two JSON objects or CSV rows, key by key."""
    for key in before.keys() | after.keys():
        if key in NOT_COMPARED:
            continue
        if key not in before or key not in after:
            yield f"{where}.{key}: only {'after' if key in after else 'before'}"
        else:
            yield from differences(before[key], after[key], f"{where}.{key}")


def read(path: Path) -> Any:
    """Return what a JSON or CSV file holds."""
    if path.suffix == ".json":
        return json.loads(path.read_text())
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def compare(before: Path, after: Path) -> int:
    """Print every difference and return how many there are."""
    names = {str(path.relative_to(folder)) for folder in (before, after)
             for suffix in ("*.json", "*.csv") for path in folder.rglob(suffix)
             if "mlruns" not in path.parts and "mlartifacts" not in path.parts}  # fmt: skip
    total = 0
    for name in sorted(names):
        if not (before / name).is_file() or not (after / name).is_file():
            lines = [f"only {'after' if (after / name).is_file() else 'before'}"]
        else:
            lines = list(differences(read(before / name), read(after / name), ""))
        total += len(lines)
        print(f"{name}: {'equal' if not lines else f'{len(lines)} differences'}", *lines[:10], sep="\n    ")
    print(f"{len(names)} files, {total} differences")
    return total


def main() -> None:
    """Run or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "compare"])
    parser.add_argument("first", type=Path, help="a checkout, or the folder of the version before")
    parser.add_argument("second", type=Path, help="a folder to write, or the folder of the version after")
    arguments = parser.parse_args()
    if arguments.what == "run":
        run(arguments.first, arguments.second)
    elif compare(arguments.first, arguments.second):
        sys.exit(1)


if __name__ == "__main__":
    main()
