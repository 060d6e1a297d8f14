"""Every door through which something from outside comes in, with every kind of damage: one message, and never anything else.

The default run tries one input of each kind; ``make fuzz`` tries many and prints the table (door, kind, outcomes).
"""

import gzip
import json
import os
import random
import shutil
import signal
import zipfile
import zlib
from collections import Counter
from functools import cache
from itertools import combinations

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml
from anndata import AnnData
from scipy import sparse
from tests.faults.conftest import JOB

from responder_ml.bundles.manifest import manifest_digest

# Of the processor's time.
SECONDS = 20
# Of each kind; a number in the environment makes a shorter or longer table.
INPUTS_OF_A_KIND = int(os.environ.get("RESPONDER_ML_FUZZ_INPUTS", "22"))
GENES, SAMPLES = 60, 16
TABLE_JOB = {
    **JOB,
    "cohort": {"source": "table", "expression": "counts.tsv", "samples": "samples.tsv", "units": "counts"},
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"},
}
CLASSES = ("control", "resilient", "susceptible")
GRADED_JOB = {
    **{key: value for key, value in TABLE_JOB.items() if key != "classifiers"},
    "endpoint": {"kind": "score", "column": "ratio"},
    "builders": ["genes"],
    "regressors": ["ridge"],
}
CLASSES_JOB = {**TABLE_JOB, "endpoint": {"column": "phenotype", "classes": list(CLASSES)}}
OPEN_DOCUMENT = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:spreadsheet><table:table table:name="a">
<table:table-row table:number-rows-repeated="{rows}"><table:table-cell office:value-type="float" office:value="1"
 table:number-columns-repeated="{columns}"/></table:table-row></table:table></office:spreadsheet></office:body>
</office:document-content>"""
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


def flip(path, rng, count=3):
    """Change a few bytes."""
    content = bytearray(path.read_bytes())
    for _ in range(count):
        content[rng.randrange(len(content))] ^= rng.randrange(1, 256)
    path.write_bytes(bytes(content))


def cut(path, rng):
    """Cut the end off."""
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def empty(path, rng):
    path.write_bytes(b"")


def noise(path, rng):
    path.write_bytes(rng.randbytes(rng.randrange(1, 5000)))


def missing(path, rng):
    path.unlink()


def fifo(path, rng):
    path.unlink()
    os.mkfifo(path)


def folder_instead(path, rng):
    path.unlink()
    path.mkdir()


def nulls(path, rng):
    content = path.read_bytes()
    at = rng.randrange(len(content))
    path.write_bytes(content[:at] + b"\0" * 50 + content[at:])


def long_number(path, rng):
    text = path.read_text()
    digits = [index for index, letter in enumerate(text) if letter.isdigit()]
    at = rng.choice(digits)
    path.write_text(text[:at] + "9" * 5000 + text[at:])


BYTES = {"flipped": flip, "cut": cut, "empty": empty, "noise": noise, "missing": missing, "fifo": fifo}
TEXT = {**BYTES, "folder": folder_instead, "null bytes": nulls, "5,000 digits": long_number}


def ragged(path, rng):
    lines = path.read_text().splitlines()
    at = rng.randrange(1, len(lines))
    lines[at] += "\t1" * rng.randrange(1, 4) if rng.random() < 0.5 else ""
    lines[at] = lines[at].rsplit("\t", rng.randrange(1, 3))[0]
    path.write_text("\n".join(lines))


def quoted(path, rng):
    text = path.read_text()
    at = rng.randrange(len(text))
    path.write_text(text[:at] + '"' + text[at:])


def odd_cell(path, rng):
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    cell = rng.choice(["1e400", "-1", "abc", "=1+1", "1_000", "0x1F", "\x1b[2J", "[/x]", "٣", "inf", "9" * 400, "1,5"])
    lines[rng.randrange(1, len(lines))][rng.randrange(1, len(lines[0]))] = cell
    path.write_text("\n".join("\t".join(line) for line in lines))


def not_gzip(path, rng):
    path.write_bytes(b"\x1f\x8b\x08" + rng.randbytes(200))


def gzip_bomb(path, rng):
    packed = gzip.compress(rng.randbytes(400_000), 1)
    path.write_bytes(packed[:-4] + (2**28 + 10).to_bytes(4, "little"))


@cache
def lines_of_zeros():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [packer.compress(b"gene\ta\tb\n"), *(packer.compress(b"x\t1\t2\n" * 2**16) for _ in range(700))]
    return b"".join([*pieces, packer.flush()])


def gzip_that_lies(path, rng):
    """Lines of zeros, of which the trailer, or a second part, says that they are a few bytes."""
    packed = lines_of_zeros()
    path.write_bytes(rng.choice([packed[:-4] + (99).to_bytes(4, "little"), packed + gzip.compress(b"y\t1\t2\n")]))


def open_document_without_end(path, rng):
    """A cell repeated more often than any memory holds, or than a file of its size has cells."""
    rows, columns = rng.choice([(2**40, 2**40), (9000, 9000), (3000, 3000), (10**6, 90)])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", OPEN_DOCUMENT.format(rows=rows, columns=columns))


def broken_workbook(path, rng):
    pd.DataFrame({"gene": ["a", "b"], "s0": [1, 2], "s1": [3, 4]}).to_excel(path.with_suffix(".xlsx"), index=False)
    path.with_suffix(".xlsx").replace(path)
    rng.choice([flip, cut])(path, rng)


@cache
def one_value(value):
    values = pa.array(np.full(2 * 10**7, value, dtype=np.int8))
    buffer = pa.BufferOutputStream()
    pa.parquet.write_table(pa.table({"gene": values, "s0": values}), buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()


def parquet_of_one_value(path, rng):
    path.write_bytes(one_value(rng.randrange(3)))


def workbook_far_out(path, rng):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


def odd_parquet(path, rng):
    table = pa.table(
        {
            "gene": [f"g{index}" for index in range(5)],
            "list": [[1, 2]] * 5,
            "struct": [{"a": 1}] * 5,
            "binary": [b"\xff"] * 5,
            "time": pa.array([1] * 5, pa.timestamp("ns")),
            "decimal": pa.array([1] * 5, pa.decimal128(38, 3)),
        }
    )
    names = rng.sample(table.column_names, rng.randrange(2, 6))
    pa.parquet.write_table(table.select(names), path)


TABLES = {
    "ragged": ragged, "quote": quoted, "odd cell": odd_cell, "not gzip": not_gzip, "gzip bomb": gzip_bomb,
    "workbook far out": workbook_far_out, "odd parquet": odd_parquet, "gzip that lies": gzip_that_lies,
    "ods without end": open_document_without_end, "broken workbook": broken_workbook, "parquet of one value": parquet_of_one_value,
}  # fmt: skip


def yaml_value(path, rng):
    """Put a value of any kind in the place of any other."""
    content = yaml.safe_load(path.read_text())
    part = content
    while isinstance(part, dict | list) and part:
        key = rng.choice(list(part) if isinstance(part, dict) else range(len(part)))
        if not isinstance(part[key], dict | list) or not part[key] or rng.random() < 0.3:
            value = [
                -1,
                0,
                2.5,
                1e300,
                float("nan"),
                "",
                "x" * 3000,
                None,
                [],
                {},
                [[1]],
                {"a": {"b": 1}},
                True,
                "\x1b[2J",
                "../..",
            ]
            part[key] = rng.choice(value)
            break
        part = part[key]
    path.write_text(yaml.safe_dump(content))


def yaml_text(text):
    def damage(path, rng):
        path.write_text(text)

    return damage


YAML = {
    "any value": yaml_value,
    "laughs": yaml_text(LAUGHS),
    "nested": yaml_text("[" * 20_000),
    "itself": yaml_text("name: &a [*a]"),
    "twice": yaml_text(yaml.safe_dump(TABLE_JOB) + "seed: 8\nseed: 9\n"),
    "code": yaml_text("name: !!python/object/apply:os.system [touch canary]"),
}


def sparse_index(path, rng):
    with h5py.File(path, "r+") as file:
        part = rng.choice(["X/indices", "X/indptr"])
        file[part][rng.randrange(len(file[part]))] = rng.choice([-1, 10**6, -(2**31), 2**31 - 1, GENES])


def h5ad_kind(path, rng):
    with h5py.File(path, "r+") as file:
        del file["X"]
        kind = rng.choice(["c16", "S3", "f8,i4"])
        file.create_dataset("X", data=np.zeros((SAMPLES, GENES), dtype=kind))


def h5ad_never_written(path, rng):
    with h5py.File(path, "r+") as file:
        del file["X"]
        file.create_dataset("X", shape=(SAMPLES, rng.choice([10**9, 10**12])), dtype="f8", chunks=(1, 1000))


def h5ad_lacks(path, rng):
    with h5py.File(path, "r+") as file:
        names = []
        file.visit(names.append)
        del file[rng.choice(names)]


def h5ad_attribute(path, rng):
    with h5py.File(path, "r+") as file:
        names = ["/"]
        file.visit(names.append)
        target = file[rng.choice(names)]
        for name in list(target.attrs):
            target.attrs[name] = rng.choice([-1, "x", 10**9])


H5AD = {
    **BYTES, "index out of bounds": sparse_index, "kind of numbers": h5ad_kind, "something lacks": h5ad_lacks,
    "attributes": h5ad_attribute, "never written": h5ad_never_written,
}  # fmt: skip


def one_of(names, damages):
    """Damage one of several files."""

    def of_one(damage):
        return lambda folder, rng: damage(folder / rng.choice(names), rng)

    return {kind: of_one(damage) for kind, damage in damages.items()}


def edited_answer(folder, rng, name="result.json"):
    path = folder / name
    content = json.loads(path.read_text())
    content[rng.choice(list(content))] = rng.choice([None, -1, "x", [], {}, 99])
    path.write_text(json.dumps(content))


def of_former_version(damage):
    """Damage a run folder as versions wrote it that kept no list of its files."""

    def damage_without_list(folder, rng):
        (folder / ".responder_ml.json").unlink()
        damage(folder, rng)

    return damage_without_list


RUN_FILES = ["result.json", "out_of_fold.csv", "candidates.csv", "config.yaml", "genes.csv"]
_RUN = {**one_of(RUN_FILES, BYTES), "edited": edited_answer}
RUN = {**_RUN, **{f"{kind}, no list": of_former_version(damage) for kind, damage in _RUN.items()}}


def ours_in_place(noun):
    """A file name in whose place lies a folder that this program wrote, or that leads into one."""

    def damage(path, rng):
        path.symlink_to(path.parent / noun / rng.choice(["scores.csv", "manifest.json", "candidates.csv"]))

    return damage


BUNDLE_FILES = ["manifest.json", "model.skops", "reference.npz"]
BUNDLE = one_of(BUNDLE_FILES, BYTES)
PAIRS = [f"{one}-{other}" for one, other in combinations(CLASSES, 2)]


def pair_missing(folder, rng):
    """Remove the bundle of two classes, or put a file or a link in its place."""
    pair = folder / rng.choice(PAIRS)
    elsewhere = shutil.move(pair, folder.parent / "elsewhere")
    rng.choice([pair.touch, lambda: pair.symlink_to(elsewhere), lambda: None])()


def pairs_exchanged(folder, rng):
    """Let two pairs change places."""
    one, other = (folder / pair for pair in rng.sample(PAIRS, 2))
    one.rename(folder / "between")
    other.rename(one)
    (folder / "between").rename(other)


def files_exchanged(folder, rng):
    """Put a file of one pair into another."""
    one, other = rng.sample(PAIRS, 2)
    name = rng.choice(BUNDLE_FILES)
    shutil.copy(folder / one / name, folder / other / name)


def bundle_of_two_instead(folder, rng):
    """Put the bundle of another training in the place of a pair's, or its manifest in that of all classes."""
    if rng.random() < 0.5:
        shutil.copy(folder.parent / "bundle" / "manifest.json", folder / "manifest.json")
        return
    pair = folder / rng.choice(PAIRS)
    shutil.rmtree(pair)
    shutil.copytree(folder.parent / "bundle", pair)


def signed_manifest(folder, rng):
    """Change a key of the manifest of all classes and sign it anew."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content[rng.choice(["classes", "pairs", "kind", "simulated", "column"])] = rng.choice(
        [None, -1, "x", [], {}, ["a"] * 3]
    )
    content["sha256"] = manifest_digest(content)
    path.write_text(json.dumps(content))


CLASS_BUNDLE = {
    **one_of(["manifest.json", *(f"{pair}/{name}" for pair in PAIRS for name in BUNDLE_FILES)], BYTES),
    "pair missing": pair_missing, "pairs exchanged": pairs_exchanged, "files exchanged": files_exchanged,
    "bundle of two instead": bundle_of_two_instead, "signed": signed_manifest,
}  # fmt: skip
CLASSES_FILES = ["classes.json", "pairs.csv", "predictions.csv", "null.csv", "config.yaml"]


def edited_classes(folder, rng):
    edited_answer(folder, rng, "classes.json")


_CLASSES_RUN = {**one_of(CLASSES_FILES, BYTES), "edited": edited_classes}
CLASSES_RUN = {
    **_CLASSES_RUN,
    **{f"{kind}, no list": of_former_version(damage) for kind, damage in _CLASSES_RUN.items()},
}
GRADED_FILES = [
    "graded.json",
    "predictions.csv",
    "candidates.csv",
    "null.csv",
    "nuisances.csv",
    "genes.csv",
    "config.yaml",
]


def edited_graded(folder, rng):
    edited_answer(folder, rng, "graded.json")


_GRADED_RUN = {**one_of(GRADED_FILES, BYTES), "edited": edited_graded}
GRADED_RUN = {**_GRADED_RUN, **{f"{kind}, no list": of_former_version(damage) for kind, damage in _GRADED_RUN.items()}}

# door: what is damaged, the command, kinds of damage
DOORS = {
    "job": ("job.yaml", ["check", "job.yaml"], {**TEXT, **YAML}),
    "study": ("study.yaml", ["study", "study.yaml", "--out", "study"], YAML),
    "expression": ("counts.tsv", ["check", "job.yaml"], {**TEXT, **TABLES}),
    "sheet": ("samples.tsv", ["check", "job.yaml"], {**TEXT, **TABLES}),
    "h5ad": ("counts.h5ad", ["check", "h5ad.yaml"], H5AD),
    "scored table": (
        "counts.tsv",
        ["score", "bundle", "counts.tsv", "--anyway", "--out", "scores.csv"],
        {**BYTES, **TABLES},
    ),
    "scored h5ad": ("counts.h5ad", ["score", "bundle", "counts.h5ad", "--anyway", "--out", "scores.csv"], H5AD),
    "bundle": ("bundle", ["score", "bundle", "counts.tsv", "--anyway"], BUNDLE),
    "class bundle": ("classes", ["score", "classes", "counts.tsv", "--anyway"], CLASS_BUNDLE),
    "scores": (
        "scores.csv",
        ["score", "bundle", "counts.tsv", "--anyway", "--out", "scores.csv"],
        {"leads into a bundle": ours_in_place("bundle"), "leads into a run": ours_in_place("run")},
    ),
    "run in report": ("run", ["report", "run"], RUN),
    "run in compare": ("run", ["compare", "run", "whole"], RUN),
    "classes in report": ("of-classes", ["report", "of-classes"], CLASSES_RUN),
    "classes in track": ("of-classes", ["track", "of-classes", "--uri", "sqlite:///none/at/all.db"], _CLASSES_RUN),
    "graded bundle": ("graded", ["score", "graded", "counts.tsv", "--anyway"], BUNDLE),
    "graded in report": ("of-graded", ["report", "of-graded"], GRADED_RUN),
    "graded in compare": ("of-graded", ["compare", "of-graded", "whole-graded"], GRADED_RUN),
    "graded in track": ("of-graded", ["track", "of-graded", "--uri", "sqlite:///none/at/all.db"], _GRADED_RUN),
    "run in track": ("run", ["track", "run", "--uri", "sqlite:///none/at/all.db"], _RUN),
}
CASES = [(door, kind) for door, (_, _, kinds) in DOORS.items() for kind in kinds]
# Where every input of the kind is wrong, none may be accepted.
NEVER_ACCEPTED = {
    "cut": ("bundle", "class bundle", "graded bundle", "h5ad", "scored h5ad"),
    "missing": tuple(DOORS), "empty": tuple(DOORS), "fifo": tuple(DOORS),
    "index out of bounds": ("h5ad", "scored h5ad"), "kind of numbers": ("h5ad", "scored h5ad"), "laughs": tuple(DOORS),
    "nested": tuple(DOORS), "itself": tuple(DOORS), "twice": ("job",), "code": tuple(DOORS), "5,000 digits": ("job",),
    "workbook far out": tuple(DOORS), "gzip bomb": tuple(DOORS), "gzip that lies": tuple(DOORS),
    "ods without end": tuple(DOORS), "leads into a bundle": tuple(DOORS), "leads into a run": tuple(DOORS),
    "parquet of one value": tuple(DOORS), "never written": tuple(DOORS),
    "flipped": (
        "bundle", "class bundle", "graded bundle", "run in report", "run in compare", "classes in report", "graded in report",
        "graded in compare",
    ),
    "edited": ("run in report", "run in compare", "classes in report", "graded in report", "graded in compare"),
    **dict.fromkeys(("pair missing", "pairs exchanged", "files exchanged", "bundle of two instead"), ("class bundle",)),
    "signed": ("class bundle",),
}  # fmt: skip
# One of a few kinds in the default run; the others take a `make fuzz`.
SOME = {
    ("job", "laughs"), ("job", "any value"), ("expression", "odd cell"), ("sheet", "flipped"), ("h5ad", "index out of bounds"),
    ("bundle", "flipped"), ("class bundle", "files exchanged"), ("class bundle", "signed"), ("classes in report", "edited"),
    ("graded bundle", "flipped"), ("graded in report", "edited"), ("graded in compare", "edited, no list"),
    ("run in report", "cut"), ("run in compare", "edited, no list"), ("expression", "workbook far out"),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole_place(tmp_path_factory, commands):
    """A folder with one of everything, whole."""
    folder = tmp_path_factory.mktemp("whole")
    rng = np.random.default_rng(5)
    samples, genes = [f"s{index}" for index in range(SAMPLES)], [f"Gene{index}" for index in range(GENES)]
    counts = rng.poisson(100, (GENES, SAMPLES))
    pd.DataFrame(counts, index=genes, columns=samples).to_csv(folder / "counts.tsv", sep="\t", index_label="gene")
    sheet = pd.DataFrame({"sample": samples, "response": ["responder", "non_responder"] * (SAMPLES // 2)})
    phenotypes = [CLASSES[index % 3] for index in range(SAMPLES)]
    full_sheet = sheet.assign(
        batch=["a", "a", "b", "b"] * (SAMPLES // 4), phenotype=phenotypes, ratio=rng.normal(size=SAMPLES).round(2)
    )
    full_sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    obs = sheet.set_index("sample", drop=False).rename_axis(None)
    AnnData(sparse.csr_matrix(counts.T.astype(float)), obs=obs, var=pd.DataFrame(index=genes)).write_h5ad(
        folder / "counts.h5ad"
    )
    (folder / "job.yaml").write_text(yaml.safe_dump(TABLE_JOB))
    h5ad_job = {**TABLE_JOB, "cohort": {"source": "h5ad", "expression": "counts.h5ad", "units": "counts"}}
    (folder / "h5ad.yaml").write_text(yaml.safe_dump(h5ad_job))
    endpoints = {"response": TABLE_JOB["endpoint"]}
    study = {"name": "tiny", "job": {**TABLE_JOB}, "grid": {"regions": {"all": {}}, "endpoints": endpoints}}
    del study["job"]["name"], study["job"]["endpoint"]
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    code, _ = commands.run(folder, ["train", "job.yaml", "--out", "run", "--bundle", "bundle"])
    assert code == 0, commands.log.read_text()[-3000:]
    shutil.copytree(folder / "run", folder / "whole")
    (folder / "graded.yaml").write_text(yaml.safe_dump(GRADED_JOB))
    code, _ = commands.run(folder, ["train", "graded.yaml", "--out", "of-graded", "--bundle", "graded"])
    assert code == 0, commands.log.read_text()[-3000:]
    shutil.copytree(folder / "of-graded", folder / "whole-graded")
    (folder / "classes.yaml").write_text(yaml.safe_dump(CLASSES_JOB))
    code, _ = commands.run(folder, ["train", "classes.yaml", "--out", "of-classes", "--bundle", "classes"])
    assert code == 0, commands.log.read_text()[-3000:]
    return folder


def _outcome(commands, place, command):
    begin = commands.log.stat().st_size if commands.log.exists() else 0
    code, _ = commands.run(place, command, seconds=SECONDS)
    said = commands.log.read_bytes()[begin:].decode(errors="replace")
    if code in (-signal.SIGALRM, -signal.SIGPROF):
        return "hangs", said
    if code < 0:
        return "crashes", said
    if code == 2 and "Error:" in said and "Traceback" not in said:
        return "refused", said
    return ("accepted" if code == 0 else "traceback"), said


@pytest.mark.parametrize(("door", "kind"), CASES)
def test_damage_ends_in_one_message(door, kind, commands, whole_place, tmp_path, whole, tell):
    if not whole and (door, kind) not in SOME:
        pytest.skip("make fuzz opens every door with every kind of damage")
    target, command, kinds = DOORS[door]
    outcomes, bad = Counter(), []
    for number in range(INPUTS_OF_A_KIND if (whole and kind not in YAML) or (kind == "any value" and whole) else 1):
        rng = random.Random(f"{door} {kind} {number}")
        place = tmp_path / f"place-{number}"
        shutil.copytree(whole_place, place, ignore=shutil.ignore_patterns(".register*"))
        kinds[kind](place / target, rng)
        outcome, said = _outcome(commands, place, command)
        outcomes[outcome] += 1
        wrong = outcome in ("hangs", "crashes", "traceback")
        if wrong or (outcome == "accepted" and door in NEVER_ACCEPTED.get(kind, ())):
            bad.append(f"{outcome} at input {number}: {said[-900:]}")
        assert not (place / "canary").exists()
        shutil.rmtree(place)
    tell(f"{door} | {kind} | " + ", ".join(f"{count} {name}" for name, count in outcomes.items()))
    assert not bad, f"{len(bad)} of {sum(outcomes.values())}\n" + "\n".join(bad[:2])
