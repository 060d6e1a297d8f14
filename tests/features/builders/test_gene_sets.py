import numpy as np
import pytest

from responder_ml.errors import FeatureError
from responder_ml.features.builders.gene_sets import GeneSets

GENES = np.array(["Fos", "Arc", "Gpr88", "Foxp1", "Pde10a", *(f"g{number}" for number in range(15))])


@pytest.fixture
def gmt(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text("full\t-\tg0\tg1\tg2\nhalf\t-\tg3\tg4\tx1\nfew\t-\tg5\tx2\tx3\n")
    return str(path)


def test_markers_the_package_brings_stand_beside_the_users_sets(gmt, rng):
    builder = GeneSets(path=gmt, markers=["cell_type", "immediate_early"], min_genes=1, min_coverage=0.2, units="log2")
    builder.fit(rng.normal(size=(12, 20)), np.tile([0, 1], 6), genes=GENES)
    names = set(builder.get_feature_names_out())
    assert {"singscore__full", "singscore__immediate_early", "singscore__cell_spiny"} <= names
    assert not any("sex" in name or "region" in name for name in names)
    column = builder.get_feature_names_out().tolist().index("singscore__immediate_early")
    assert set(builder.genes_of(column)[0]) == {"Fos", "Arc"}


def test_an_unknown_kind_of_markers_is_named(rng):
    with pytest.raises(FeatureError, match=r"no markers of kind 'celltype'\. Did you mean 'cell_type'"):
        GeneSets(markers=["celltype"]).notes(GENES)


def test_a_mapping_translates_the_sets(gmt, tmp_path, rng):
    mapping = tmp_path / "mapping.tsv"
    mapping.write_text("symbol\tid\n" + "".join(f"g{number}\t{100 + number}\n" for number in range(6)))
    renamed = np.array([gene if not gene.startswith("g") else str(100 + int(gene[1:])) for gene in GENES])
    values = rng.normal(size=(12, 20))
    labels = np.tile([0, 1], 6)
    plain = GeneSets(path=gmt, min_genes=1, min_coverage=0.3, units="log2").fit(values, labels, genes=GENES)
    mapped = GeneSets(path=gmt, mapping=str(mapping), min_genes=1, min_coverage=0.3, units="log2")
    mapped.fit(values, labels, genes=renamed)
    np.testing.assert_array_equal(mapped.transform(values), plain.transform(values))


def test_notes_say_what_is_scored_and_what_is_not(gmt):
    (note,) = GeneSets(path=gmt, min_genes=1, min_coverage=0.5).notes(GENES)
    assert note == (
        "2 of 3 gene set(s) are scored; the data have 5 of their 6 genes, least of 'half' (2 of 3). "
        "Left out: 'few' (1 of 3 genes found (33%), 50% needed)."
    )
    assert GeneSets().notes(GENES) == ()
