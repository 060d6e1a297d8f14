import gzip

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from responder_ml.cohort import packed_size
from responder_ml.cohort.expression_size import estimate_size
from responder_ml.cohort.packed_size import unpacked_size


@pytest.fixture
def table(rng):
    genes, samples = [f"Gene{index}" for index in range(1500)], [f"s{index}" for index in range(40)]
    return pd.DataFrame(rng.poisson(100, (1500, 40)), index=genes, columns=samples).rename_axis("gene")


@pytest.mark.parametrize("name", ["t.tsv", "t.csv", "t.tsv.gz", "utf16.tsv", "commented.tsv"])
def test_rows_are_estimated_from_the_first_lines_and_the_size(name, table, tmp_path):
    text = table.to_csv(sep="," if name.endswith("csv") else "\t")
    if name == "commented.tsv":
        text = "# Program:featureCounts\n" + text
    content = text.encode("utf-16" if name == "utf16.tsv" else "utf-8")
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    rows, columns = estimate_size(tmp_path / name)
    assert columns == 40
    assert rows == pytest.approx(1500, rel=0.02)


def test_columns_of_several_files_are_added_up(table, tmp_path):
    for index in range(3):
        table.to_csv(tmp_path / f"part{index}.tsv", sep="\t")
    rows, columns = estimate_size(tmp_path)
    assert columns == 120
    assert rows == pytest.approx(1500, rel=0.02)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_h5ad_and_parquet_say_their_shape(kind, table, tmp_path):
    values = kind(table.T.to_numpy(dtype=float))
    AnnData(values, pd.DataFrame(index=table.columns), pd.DataFrame(index=table.index)).write_h5ad(tmp_path / "t.h5ad")
    assert estimate_size(tmp_path / "t.h5ad") == (40, 1500)
    table.reset_index().to_parquet(tmp_path / "t.parquet")
    assert estimate_size(tmp_path / "t.parquet") == (1500, 40)


@pytest.mark.parametrize(
    ("name", "content"),
    [("none.tsv", None), ("header.tsv", b"gene\ta\n"), ("t.h5ad", b"noise"), ("t.parquet", b"PAR1"), ("t.xlsx", b"PK\x03\x04"),
     ("t.tsv.gz", b"\x1f\x8b\x08noise"), ("thesis.docx", b"x")],
)  # fmt: skip
def test_what_does_not_tell_its_size_has_none(name, content, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert estimate_size(tmp_path / name) is None


def test_a_gzip_file_of_many_parts_is_as_large_as_all_of_them(tmp_path, rng, monkeypatch):
    # As bgzip writes them, with an empty one at the end.
    parts = [rng.bytes(20_000).hex().encode() for _ in range(9)]
    (tmp_path / "t.gz").write_bytes(b"".join(gzip.compress(part) for part in (*parts, b"")))
    assert unpacked_size(tmp_path / "t.gz") == 9 * 40_000
    monkeypatch.setattr(packed_size, "_BEGINNING", 100_000)
    assert unpacked_size(tmp_path / "t.gz") == pytest.approx(9 * 40_000, rel=0.1)
