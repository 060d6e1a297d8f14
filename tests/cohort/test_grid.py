import numpy as np
import pytest

from responder_ml.cohort.expression_source import open_expression
from responder_ml.cohort.read import read_table
from responder_ml.errors import CohortError, ExpressionError


def _read(files, **keywords):
    return read_table(*files, **{"units": "counts", **keywords})


def test_text_in_rows_of_unlisted_samples_does_not_matter(write, counts, sheet):
    text = counts.to_csv(index_label="sample") + "note,a,b,c,d,e\n"
    cohort = _read((write("e.csv", text), write("s.csv", sheet.to_csv(index=False))))
    np.testing.assert_array_equal(cohort.X, counts.to_numpy())
    assert cohort.uns["unused_samples"] == ["note"]


def test_ids_on_neither_axis_are_shown_from_both_sides(write, files, counts):
    expression = write("e.csv", counts.rename(index=lambda name: "lib_" + name).T.to_csv(index_label="gene"))
    with pytest.raises(CohortError, match=r"none of the 4 sample ids .*'s1'.*rows start with 'Fos'.*'lib_s1'"):
        _read((expression, files[1]))


def test_ids_that_r_has_rewritten_are_recognised(write):
    expression = write("e.tsv", "gene\tX143A.CA3.1\tX143B.DG.1\nFos\t1\t2\n")
    samples = write("s.tsv", "sample\tsex\n143A-CA3-1\tm\n143B-DG-1\tm\n")
    with pytest.raises(CohortError, match=r"leading X \(such as 'X143A.CA3.1'\).*check.names = FALSE"):
        _read((expression, samples))


def test_ids_on_both_axes_are_refused_and_a_full_match_settles_it(write):
    samples = write("s.csv", "sample,sex\n1,m\n2,m\n3,f\n")
    both = write("both.csv", "gene,1,2,3\n1,5,5,5\n2,6,6,6\n3,7,7,7\n")
    with pytest.raises(CohortError, match=r"are on both axes \(3 of 3 in rows, 3 in columns\)"):
        _read((both, samples))
    neither_in_full = write("parts.csv", "gene,1,2,x\n1,5,5,5\n9,6,6,6\n")
    with pytest.raises(CohortError, match=r"are on both axes \(1 of 3 in rows, 2 in columns\)"):
        _read((neither_in_full, samples))
    entrez = write("entrez.csv", "gene,1,2,3\n1,10,20,30\n2,11,21,31\n9,12,22,32\n")
    np.testing.assert_array_equal(_read((entrez, samples)).X, [[10, 11, 12], [20, 21, 22], [30, 31, 32]])


@pytest.mark.parametrize("genes_in_rows", [True, False])
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("low", r"gene 'Arc', sample 's3' is 'low', not a number"),
        ("1,5", r"gene 'Arc', sample 's3' is '1,5', not a number"),
        ("1_000", r"gene 'Arc', sample 's3' is '1_000', not a number"),
        ("-Inf", r"1 value\(s\) are infinite.*gene 'Arc', sample 's3'.*logarithm of 0"),
        ("-3", r"1 value\(s\) are negative \(first: gene 'Arc', sample 's3', -3\)"),
    ],
)
def test_unusable_values_are_refused_by_gene_sample_and_value(write, files, counts, cell, message, genes_in_rows):
    table = counts.astype(object)
    table.loc["s3", "Arc"] = cell
    text = (table.T if genes_in_rows else table).to_csv(index_label="x")
    with pytest.raises(ExpressionError, match=message):
        _read((write("e.csv", text), files[1]))


def test_blanks_around_numbers_and_names_do_no_harm(write, files):
    expression = write("e.csv", "gene, s1 , s2, s3, s4\n Fos, 1 ,2, 3 ,4\nArc,5,6,7,8\n")
    cohort = _read((expression, files[1]))
    assert cohort.var_names.tolist() == ["Fos", "Arc"]
    np.testing.assert_array_equal(cohort.X[:, 0], [1, 2, 3, 4])


def test_a_table_without_a_known_gene_is_refused(write, counts):
    path = write("new.csv", counts.T.to_csv(index_label="gene"))
    with pytest.raises(CohortError, match=r"none of the 2 genes of the model .*'ENSG1'.*same kind of gene identifier"):
        open_expression(path, ["ENSG1", "ENSG2"])
