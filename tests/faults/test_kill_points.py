"""Every command that writes, killed at a change of a file and started again, ends in the same bytes; nobody else's file changes.

``make fuzz`` kills at every change; the default run at a few.
"""

import gzip
import os
import shutil
import signal

import pytest
import yaml
from tests.faults.conftest import JOB

_OF_STUDY = {
    **{key: value for key, value in JOB.items() if key not in ("name", "endpoint")},
    "cohort": {"source": "simulated", "params": {"n_genes": 300, "regions": ["PFC", "NAc"]}},
}
STUDY = {
    "name": "tiny",
    "job": _OF_STUDY,
    "grid": {
        "regions": {"PFC": {"region": "PFC"}, "NAc": {"region": "NAc"}},
        "endpoints": {"response": JOB["endpoint"]},
    },
    "transfer": {"permutations": 0},
}
CLASSES = {
    **JOB,
    "cohort": {**JOB["cohort"], "where": {"region": "PFC", "drug": "saline"}},
    "endpoint": {"column": "phenotype", "classes": ["control", "resilient", "susceptible"]},
}
RECIPE = {"series": "GSE100", "expression": {"source": "matrix", "units": "log2"}}
COMMANDS = {
    "train": ["train", "job.yaml", "--out", "out", "--bundle", "bundle"],
    "classes": ["train", "classes.yaml", "--out", "out", "--bundle", "bundle"],
    "study": ["study", "study.yaml", "--out", "out"],
    "claims": ["claims", "job.yaml", "--out", "out"],
    "selftest": ["selftest", "selftest.yaml", "--cohorts", "5", "--permutations", "2", "--out", "out.json"],
    "transfer": ["transfer", "job.yaml", "--by", "drug", "--out", "out"],
    "fetch": ["fetch", "GSE100", "--recipe", "recipe.yaml", "--cache", "cache", "--out", "out"],
}
# Moments of the default run, as shares of all changes.
SOME = {"train": (0.5, 0.8, 0.98), "fetch": (0.3, 0.9), "claims": (0.7,)}


# Files of somebody else, around and among what the commands write, with names much like ours.
CANARIES = (
    "thesis.txt",
    "manifest.json",
    "result.json",
    ".out.units.txt",
    ".out.1.partial/thesis.txt",
    "runs/other/result.json",
    "data/samples.tsv",
    "models/manifest.json",
)
PREFIX = "/geo/series/GSEnnn/GSE100/"


def _series():
    samples = [f"GSM{number}" for number in range(6)]
    rows = [
        ["!Series_geo_accession", "GSE100"],
        ["!Sample_title", *samples],
        ["!Sample_geo_accession", *samples],
        ["!series_matrix_table_begin"],
        ["ID_REF", *samples],
        *([f"Gene{gene}", *(str(gene + column + 0.5) for column in range(6))] for gene in range(9)),
        ["!series_matrix_table_end"],
    ]
    text = "\n".join("\t".join(f'"{cell}"' if not cell.startswith("!") else cell for cell in row) for row in rows)
    return gzip.compress(f"{text}\n".encode())


@pytest.fixture
def place(tmp_path, geo):
    """Return a maker of folders with a job, and with canaries around it."""
    geo.files = {
        f"{PREFIX}matrix/": b'<html><a href="GSE100_series_matrix.txt.gz">x</a>',
        f"{PREFIX}matrix/GSE100_series_matrix.txt.gz": _series(),
    }

    def make(name):
        folder = tmp_path / name
        for canary in CANARIES:
            (folder / canary).parent.mkdir(parents=True, exist_ok=True)
            (folder / canary).write_text("three years of work")
        (folder / "job.yaml").write_text(yaml.safe_dump(JOB))
        (folder / "classes.yaml").write_text(yaml.safe_dump(CLASSES))
        (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
        (folder / "selftest.yaml").write_text(yaml.safe_dump({**JOB, "null": {"permutations": 2, "alpha": 0.4}}))
        (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
        return folder

    make.archive = geo.address
    return make


def _canaries(folder):
    return [(folder / canary).read_text() for canary in CANARIES]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_killed_at_any_change_of_a_file_resumes_to_equal_bytes(name, commands, place, sums, whole, tell):
    if not whole and name not in SOME:
        pytest.skip("make fuzz kills every command at every change")
    command = [*COMMANDS[name], *(["--archive", place.archive] if name == "fetch" else [])]
    undisturbed = place("undisturbed")
    code, changes = commands.run(undisturbed, command)
    assert code == 0, commands.log.read_text()[-2000:]
    expected = sums(undisturbed)
    moments = range(1, changes + 1) if whole else [max(1, int(share * changes)) for share in SOME[name]]
    for at in moments:
        folder = place(f"killed-{at}")
        assert commands.run(folder, command, at)[0] == -signal.SIGKILL, at
        assert _canaries(folder) == ["three years of work"] * len(CANARIES), at
        code, _ = commands.run(folder, command)
        assert code == 0, (at, commands.log.read_text()[-2000:])
        assert sums(folder) == expected, at
        shutil.rmtree(folder)
    tell(f"{name}: killed at {len(moments)} of {changes} changes of files, all resumed to equal bytes")


@pytest.mark.skipif(os.environ.get("RESPONDER_ML_FUZZ") != "1", reason="half a minute; `make fuzz` runs it")
def test_a_second_kill_during_the_resumption_changes_nothing(commands, place, sums):
    undisturbed, folder = place("undisturbed"), place("killed")
    _, changes = commands.run(undisturbed, COMMANDS["train"])
    for share in (0.96, 0.9, 0.3):
        commands.run(folder, COMMANDS["train"], max(1, int(share * changes)))
    assert commands.run(folder, COMMANDS["train"])[0] == 0
    assert sums(folder) == sums(undisturbed)


def test_a_run_whose_files_were_removed_is_made_again(commands, place, sums, whole):
    """The marker of a finished run is proved: neither run nor bundle is believed to be there."""
    if not whole:
        pytest.skip("it trains some fifteen times; make fuzz runs it")
    undisturbed = place("undisturbed")
    code, changes = commands.run(undisturbed, COMMANDS["train"])
    assert code == 0
    # Just before the units are cleared, all has been written.
    folder = place("killed")
    at = next(at for at in range(changes, 0, -1) if _stops_after_the_marker(commands, folder, at))
    assert at
    shutil.rmtree(folder / "bundle")
    (folder / "out" / "result.json").unlink()
    assert commands.run(folder, COMMANDS["train"])[0] == 0
    assert sums(folder) == sums(undisturbed)


def _stops_after_the_marker(commands, folder, at):
    for leftover in ("out", "bundle"):
        shutil.rmtree(folder / leftover, ignore_errors=True)
    commands.run(folder, COMMANDS["train"], at)
    return (folder / ".out.units" / "written").is_file()
