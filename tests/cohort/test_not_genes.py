import numpy as np
import pytest

from responder_ml.cohort.not_genes import find_genes, find_totals, refuse_hidden_labels, refuse_sheet_columns
from responder_ml.errors import GeneNameError

GENES = [
    "Fos",
    "Arc",
    "NANOG",
    "Nrn1",
    "7SK",
    "MT-ND1",
    "ENSG00000141510.17",
    "14281",
    "1415670_at",
    "Gm12345",
    "SUMO1",
]


def test_genes_stay_genes():
    real = [
        *GENES,
        "NAT1",
        "NONO",
        "TOTAL2",
        "GC",
        "Sp1",
        "AGER",
        "RIN1",
        "CLASP1",
        "LENG8",
        "STAT1",
        "END3",
        "N4BP1",
        "SUM1",
    ]
    named = find_genes(real, "t")
    assert named.is_gene.all()
    assert named.notes == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *(
            (name, "counters")
            for name in (
                "__no_feature", "no_feature", "__ambiguous", "ambiguous", "__too_low_aQual", "not_aligned",
                "__alignment_not_unique",
                "N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous", "Assigned", "Unassigned_NoFeatures",
            )
        ),
        *((name, "no names of genes") for name in ("", "NA", "#N/A", "<NA>", "---", "-", "NaN", "NULL", "NA.1", "?")),
        ("Hist1h4a /// Hist1h4b", "names of several genes"),
        ("ENSG00000182378.14_PAR_Y", "pseudoautosomal"),
        ("ENSGR0000182378", "pseudoautosomal"),
        *((name, "totals") for name in ("Total", "SUM", "total_counts", "library size")),
        *((name, "descriptions of genes") for name in ("Length", "Chr", "gene_name", "biotype", "padj", "log2FoldChange")),
    ],
)  # fmt: skip
def test_what_is_no_gene_is_left_out_and_said(name, reason):
    named = find_genes([*GENES, name], "t")
    assert named.is_gene.tolist() == [True] * len(GENES) + [False]
    assert reason in named.notes[0].message
    assert name in named.notes[0].message


def test_spike_ins_are_left_out_where_asked_only():
    names = [*GENES, "ERCC-00002", "ERCC-00171", "ERCC1"]
    assert find_genes(names, "t").is_gene.all()
    assert "`cohort.spike_ins: drop`" in find_genes(names, "t").notes[0].message
    assert find_genes(names, "t", spike_ins="drop").is_gene.tolist() == [True] * len(GENES) + [False, False, True]


@pytest.mark.parametrize("start", [0, 1])
def test_row_numbers_are_refused_as_genes_but_entrez_ids_are_not(start):
    with pytest.raises(GeneNameError, match=r"these are row numbers.*row\.names = FALSE"):
        find_genes([str(number) for number in range(start, start + 50)], "t")
    assert find_genes([str(number) for number in (1, 2, 3, 9, 10, 12, 13, 14, 15, 16, 18)], "t").is_gene.all()


@pytest.mark.parametrize("name", ["age", "outcome", "Response", "SEX", "sample_id", "Diagnosis", "rin", "batch"])
def test_words_that_describe_samples_are_refused(name):
    with pytest.raises(GeneNameError, match=rf"'{name}' stand\(s\) among the genes"):
        find_genes([*GENES, name], "t")


def test_a_row_that_is_the_sum_of_the_others_is_left_out_whatever_its_name(rng):
    counts = rng.negative_binomial(5, 0.01, size=(6, 30)).astype(float)
    names = [f"g{index}" for index in range(30)]
    everything = np.ones(32, dtype=bool)
    with_total = np.column_stack([counts, counts.sum(axis=1), counts[:, 0]])
    assert find_totals(counts, names, everything[:30])[0].all()
    ratios = rng.normal(0, 0.2, size=(6, 30))
    assert find_totals(ratios, names, everything[:30])[0].all()
    is_gene, notes = find_totals(with_total[:, :31], [*names, "MyTotal"], everything[:31])
    assert is_gene.tolist() == [True] * 30 + [False]
    assert "'MyTotal' are the sum of the others" in notes[0].message
    # The counters of the program are in its total.
    counter = np.full((6, 1), 500.0)
    with_counter = np.column_stack([counts, counter, counts.sum(axis=1) + 500])
    named = np.array([True] * 30 + [False, True])
    assert find_totals(with_counter, [*names, "__no_feature", "x"], named)[0].tolist() == [True] * 30 + [False, False]


def test_columns_of_the_sheet_among_the_genes_are_refused_by_their_values(rng):
    values = rng.normal(8, 1, size=(6, 3))
    label, age = ["yes", "no", "yes", "no", "yes", "no"], ["30", "41", "55.0", "62", "47", "30"]
    values[:, 1] = [1, 0, 1, 0, 1, 0]
    for names, sheet in (
        (["Fos", "answer", "Arc"], {"answer": label}),
        (["Fos", "Answer ", "Arc"], {"answer": label}),
        (["Fos", "answer", "Arc"], {"response": label, "answer": label}),
    ):
        with pytest.raises(GeneNameError, match="least of all the label"):
            refuse_sheet_columns(names, sheet, values, "t")
    values[:, 1] = [float(cell) for cell in age]
    with pytest.raises(GeneNameError, match="'years'"):
        refuse_sheet_columns(["Fos", "years", "Arc"], {"years": age}, values, "t")
    by_pcr = refuse_sheet_columns(["Fos", "x", "Arc"], {"fos": [str(number) for number in range(6)]}, values, "t")
    assert by_pcr[0].severity == "warning"
    assert refuse_sheet_columns(["Fos", "x", "Arc"], {"answer": label}, values, "t") == ()


@pytest.mark.parametrize(("n", "severity"), [(6, None), (8, "warning"), (16, "refused"), (24, "refused")])
@pytest.mark.parametrize("codes", [(0, 1), (1, 0), (1, 2), (-1, 1)])
def test_a_label_under_any_name_is_found_by_its_values(rng, n, severity, codes):
    label = ["yes", "no"] * (n // 2)
    values = rng.poisson(20, size=(n, 5)).astype(float)
    values[:, 3] = [codes[word == "yes"] for word in label]
    values[:, 4] = np.arange(n) % 2
    values[:2, 4] = 1
    sheet = {
        "answer": label,
        "batch": ["a"] * n,
        "odd": ["x"] + ["y"] * (n - 1),
        "animal": [str(row) for row in range(n)],
    }
    names = ["Fos", "Arc", "Egr1", "zz", "Low"]
    if severity == "refused":
        with pytest.raises(GeneNameError, match=r"'zz' has \(have\) one number for each"):
            refuse_hidden_labels(names, sheet, values, "t")
    else:
        notes = refuse_hidden_labels(names, sheet, values, "t")
        assert [note.severity for note in notes] == ([severity] if severity else [])
        assert all("'zz'" in note.message and "'Low'" not in note.message for note in notes)
    assert refuse_hidden_labels(names[:3], sheet, values[:, :3], "t") == ()
