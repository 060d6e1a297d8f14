"""Change the source in small ways, one at a time, and count the changes that a module's own tests notice.

    python benchmarks/mutation_score.py search evaluation statistics explanation features/tmm.py --mutants 30 --seed 7

A mutant swaps a comparison, an arithmetic operator, a sign or a boolean word, moves a number by one, or drops a keyword argument.
Of every folder as many are drawn at random as ``--mutants`` says, from a copy of the package; the tests at the mirrored path of the
file run against each, and where there are none those of its folder. A mutant that survives is equivalent to the source, costs only
time, or shows a missing test: they are listed to be read.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src/responder_ml")
COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
BOOLEANS = {ast.And: ast.Or, ast.Or: ast.And}
LIMIT_S = 180


def mutations(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the changed versions of one node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield ast.Compare(node.left, [COMPARISONS[type(node.ops[0])](), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(BOOLEANS[type(node.op)](), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Call) and node.keywords:
        yield ast.Call(node.func, node.args, node.keywords[:-1])


def mutants(source: str) -> list[tuple[int, str, str]]:
    """Return line, change and changed source of every mutant of a file; annotations and defaults of names are left alone."""
    tree, results = ast.parse(source), []
    nodes = [node for function in ast.walk(tree) if isinstance(function, ast.FunctionDef)
              for statement in function.body for node in ast.walk(statement)]  # fmt: skip
    for node in {id(node): node for node in nodes}.values():
        for changed in mutations(node):
            segment = ast.get_source_segment(source, node)
            if segment is None:
                continue
            start = sum(len(line) for line in source.splitlines(keepends=True)[: node.lineno - 1])
            offset = start + len(source.splitlines()[node.lineno - 1].encode()[: node.col_offset].decode())
            text = ast.unparse(ast.fix_missing_locations(changed))
            new = f"{source[:offset]}({text}){source[offset + len(segment) :]}"
            if _compiles(new):
                results.append((node.lineno, f"{segment} -> {text}".replace("\n", " "), new))
    return results


def _compiles(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def tests_of(path: Path) -> Path:
    """Return the tests of a file of the package, or those of its folder."""
    folder = ROOT / "tests" / path.relative_to(PACKAGE).parent
    own = folder / f"test_{path.stem}.py"
    return own if own.is_file() else folder


def notices(copy: Path, tests: Path) -> bool:
    """Tell whether tests fail against a changed copy of the package."""
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:doctest", str(tests)]
    command += ["-c", str(ROOT / "pyproject.toml"), "--override-ini", "addopts=--import-mode=importlib"]
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=LIMIT_S).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def main() -> None:
    """Draw, change, run and print a row for every folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", help="folders or files of the package")
    parser.add_argument("--mutants", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
        print("| part | mutants | noticed | score |\n|---|---|---|---|", flush=True)
        survivors = []
        for part in arguments.parts:
            whole = ROOT / PACKAGE / part
            files = (
                [whole] if whole.is_file() else sorted(path for path in whole.glob("*.py") if path.stem != "__init__")
            )
            every = [(path.relative_to(ROOT), *mutant) for path in files for mutant in mutants(path.read_text())]
            drawn = random.Random(arguments.seed).sample(every, min(arguments.mutants, len(every)))
            noticed = 0
            for path, line, change, source in drawn:
                (copy / path).write_text(source)
                killed = notices(copy, tests_of(path))
                shutil.copy(ROOT / path, copy / path)
                noticed += killed
                if not killed:
                    survivors.append(f"{path}:{line}: {change}")
            print(f"| {part} | {len(drawn)} of {len(every)} | {noticed} | {noticed / len(drawn):.2f} |", flush=True)
    print("\nSurvivors:\n", *survivors, sep="\n")


if __name__ == "__main__":
    main()
