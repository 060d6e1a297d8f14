from pathlib import Path

import numpy as np
import pytest

from responder_ml.cohort.expression_source import open_expression
from responder_ml.cohort.grid_files import open_grid
from responder_ml.errors import CohortError, ExpressionError

GENES = ["Fos", "Arc", "Egr1"]
SALMON = "Name\tLength\tEffectiveLength\tTPM\tNumReads\nFos\t900\t800.5\t10.5\t8.25\nArc\t800\t700\t20\t3\nEgr1\t700\t600\t0\t0\n"
KALLISTO = (
    "target_id\tlength\teff_length\test_counts\ttpm\n"
    "Fos\t900\t800.5\t8.25\t10.5\nArc\t800\t700\t3\t20\nEgr1\t700\t600\t0\t0\n"
)
RSEM = (
    "gene_id\ttranscript_id(s)\tlength\teffective_length\texpected_count\tTPM\tFPKM\n"
    "Fos\tt1,t2\t900\t800\t8.25\t10.5\t1\nArc\tt3\t800\t700\t3\t20\t1\nEgr1\tt4\t700\t600\t0\t0\t0\n"
)


def _values(path, units="counts"):
    source = open_expression(path, GENES, units=units)
    order = [list(source.genes).index(gene) for gene in GENES]
    return list(source.samples), source.block(np.arange(len(source.samples)), np.array(order)), source.notes


@pytest.mark.parametrize(("name", "text"), [("m1.sf", SALMON), ("m1.tsv", KALLISTO), ("m1.genes.results", RSEM)])
def test_quantifications_of_one_sample_are_one_sample_in_the_units_declared(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    samples, counts, notes = _values(tmp_path / name)
    assert samples == ["m1"]
    assert counts.tolist() == [[8, 3, 0]]
    assert any("estimated with decimals, and were rounded" in note.message for note in notes)
    assert _values(tmp_path / name, "tpm")[1].tolist() == [[10.5, 20, 0]]
    with pytest.raises(ExpressionError, match="counts and TPM, but the units are log2"):
        _values(tmp_path / name, "log2")


def test_folders_of_quantifications_are_one_matrix(tmp_path):
    for sample in ("m1", "m2"):
        (tmp_path / sample).mkdir()
        (tmp_path / sample / "quant.sf").write_text(SALMON)
    samples, counts, _ = _values(tmp_path)
    assert samples == ["m1", "m2"]
    assert counts.tolist() == [[8, 3, 0]] * 2


def test_star_and_htseq_tables_have_no_header_and_counters_that_are_left_out(tmp_path):
    star = "N_unmapped\t5\t5\t5\nN_multimapping\t4\t4\t4\nN_noFeature\t3\t30\t3\nN_ambiguous\t1\t1\t1\n"
    htseq = "Fos\t1\nArc\t2\nEgr1\t3\n__no_feature\t90\n__ambiguous\t1\n"
    for sample in ("m1", "m2"):
        (tmp_path / f"{sample}_ReadsPerGene.out.tab").write_text(star + "Fos\t1\t0\t1\nArc\t2\t0\t2\nEgr1\t3\t0\t3\n")
        (tmp_path / f"{sample}.htseq.counts").write_text(htseq)
    for pattern in ("*ReadsPerGene.out.tab", "*.htseq.counts"):
        samples, counts, notes = _values(tmp_path / pattern)
        assert samples == ["m1", "m2"]
        assert counts.tolist() == [[1, 2, 3]] * 2
        assert any("counters of reads" in note.message for note in notes)


@pytest.mark.parametrize(
    "header",
    [
        "gene_id\tgene_name\tm1\tm2",
        "Geneid\tChr\tStart\tEnd\tStrand\tLength\tm1\tm2",
        "\tSymbol\tBiotype\tm1\tm2",
        "gene\tm1\tm2\tbaseMean\tlog2FoldChange\tpadj",
    ],
)
def test_columns_that_describe_genes_are_no_samples(tmp_path, header):
    names = header.split("\t")
    lines = [header]
    for row, gene in enumerate(GENES):
        text = {
            "gene_name": gene.upper(),
            "Symbol": gene,
            "Biotype": "coding",
            "Chr": "chr1;chr1",
            "Start": "1;5",
            "End": "3;9",
        }
        cells = {"m1": row + 1, "m2": row + 5, "Strand": "+;+", "Length": 900, **text}
        lines.append("\t".join(str(gene if not column else cells.get(name, 0.5)) for column, name in enumerate(names)))
    (tmp_path / "t.tsv").write_text("\n".join(lines))
    samples, counts, notes = _values(tmp_path / "t.tsv")
    assert samples == ["m1", "m2"]
    assert counts.tolist() == [[1, 2, 3], [5, 6, 7]]
    assert "hold no expression" in notes[0].message


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("corner", ["", '""', "Unnamed: 0", "index", None])
def test_row_numbers_in_front_are_left_out(tmp_path, start, corner):
    header = "gene,m1,m2" if corner is None else f"{corner},gene,m1,m2"
    rows = "".join(f"{row + start},{gene},{row},{row + 1}\n" for row, gene in enumerate(GENES))
    (tmp_path / "t.csv").write_text(f"{header}\n{rows}")
    samples, counts, _ = _values(tmp_path / "t.csv")
    assert samples == ["m1", "m2"]
    assert counts.tolist() == [[0, 1, 2], [1, 2, 3]]


def test_a_parquet_file_with_descriptions_is_laid_out_too(tmp_path):
    import pandas as pd

    table = pd.DataFrame({"gene_id": GENES, "gene_name": GENES, "Length": [1, 2, 3], "m1": [1, 2, 3], "m2": [4, 5, 6]})
    table.to_parquet(tmp_path / "t.parquet", index=False)
    assert _values(tmp_path / "t.parquet")[1].tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_table_without_numbers_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("gene,chr,biotype\nFos,chr1,coding\n")
    with pytest.raises(CohortError, match="none of its columns"):
        open_grid(Path(tmp_path / "t.csv"))
