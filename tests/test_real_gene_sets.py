"""The founding study's published gene sets, symbols, on public counts of another study, Entrez ids."""

import numpy as np
import pandas as pd
import pytest
import yaml

from responder_ml.build import prepare_job
from responder_ml.cohort.read import read_table
from responder_ml.config import load_config
from responder_ml.errors import FeatureError
from responder_ml.features.builders.gene_sets import GeneSets

pytestmark = pytest.mark.shared

SETS = (
    "Bagot_2016_StressSusceptibleVsCTRL_HC",
    "Bagot_2016_StressSusceptibleVsCTRL_NACC",
    "Bagot_2017_StressSusceptibleVsCTRL_NACC",
)
# A user's table, recalled and not complete; the data confirm it where they can: what NAc has and PFC lacks (Penk, Adora2a, Gpr88,
# Chat, Slc5a7, Gpr101, Peg10) and what oligodendrocytes have (Cldn11, Opalin, Pllp, Ugt8a) is where these ids say it is.
ENTREZ = {
    "Adora2a": 11540, "Alas2": 11656, "Arrdc2": 70807, "Avp": 11998, "Cdhr1": 170677, "Chat": 12647, "Cldn11": 18417,
    "Cyp1a1": 13076,
    "Dgkh": 380921, "Gbx1": 231044, "Gpr101": 245424, "Gpr88": 64378, "Gsx1": 14842, "H2afz": 51788, "Hba-a1": 15122,
    "Hba-a2": 110257, "Hbb-b1": 15129, "Hbb-b2": 15130, "Htr4": 15562, "Klf5": 12224, "Lcn2": 16819, "Lrg1": 76905, "Lrrc17": 74511,
    "Npas4": 225872, "Opalin": 226115, "Otof": 83762, "Otos": 266645, "Peg10": 170676, "Penk": 18619, "Plin4": 57435, "Pllp": 67801,
    "Pparg": 19016, "Pus3": 67049, "Rps16": 20055, "Rtp1": 239766, "S100a8": 20201, "S100a9": 20202, "Sema5a": 20356,
    "Sftpc": 20389, "Sh2d4a": 72281, "Slc10a4": 231290, "Slc15a1": 56643, "Slc5a7": 63993, "Sox13": 20668, "Trh": 22044,
    "Ugt8a": 22239, "Zbtb16": 235320,
}  # fmt: skip


@pytest.fixture
def gmt(shared_data, tmp_path):
    table = pd.read_csv(shared_data / "gse81672_signatures" / "sets_genes.tsv.gz", sep="\t")
    genes = {name: table.loc[table["set_name"] == name, "gene"].tolist() for name in SETS}
    path = tmp_path / "sets.gmt"
    path.write_text(
        "".join("\t".join([name, "published, unsigned", *members]) + "\n" for name, members in genes.items())
    )
    return path


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "symbol_to_entrez.tsv"
    path.write_text("symbol\tentrez\n" + "".join(f"{symbol}\t{entrez}\n" for symbol, entrez in ENTREZ.items()))
    return path


@pytest.fixture
def job(shared_data, tmp_path, gmt):
    folder = shared_data / "gse102556_mouse_cvs"

    def build(**params):
        content = {
            "name": "nac",
            "cohort": {
                "source": "table", "expression": str(folder / "expression_counts.tsv.gz"), "samples": str(folder / "samples.tsv"),
                "units": "counts", "columns": {"sample": "sample_id"}, "where": {"region": "NAc"},
            },
            "endpoint": {"column": "group", "positive": "stress_CVS", "negative": "control", "strata": ["sex"]},
            "builders": [{"kind": "gene_sets", "params": {"path": gmt.name, **params}}],
            "classifiers": [{"kind": "nearest_centroid"}],
        }  # fmt: skip
        path = tmp_path / "job.yaml"
        path.write_text(yaml.safe_dump(content))
        return load_config(path)

    return build


def test_symbols_on_entrez_ids_are_refused_with_the_remedy(job):
    with pytest.raises(FeatureError, match="The kinds of identifier differ: translate the sets by a mapping table"):
        prepare_job(job())


def test_with_a_users_table_they_score_and_coverage_is_reported(job, mapping, gmt, shared_data):
    prepared = prepare_job(job(mapping=mapping.name))
    (note,) = [note for note in prepared.feasible.notes if note.startswith("gene_sets")]
    # By hand: of 34, 18 and 20 genes the table and the data have 26, 13 and 12.
    assert "3 of 3 gene set(s) are scored; the data have 51 of their 72 genes" in note
    assert "'Bagot_2017_StressSusceptibleVsCTRL_NACC' (12 of 20)" in note
    (candidate,) = prepared.feasible.candidates
    labelled = prepared.labelled
    builder = candidate.builder.fit(labelled.expression, labelled.sample_labels, genes=labelled.genes)
    scores = builder.transform(labelled.expression)
    assert scores.shape == (40, 3)
    assert np.isfinite(scores).all()
    assert (scores.std(axis=0) > 0).all()


def test_the_scores_mean_what_the_genes_say(mapping, gmt, shared_data):
    """The hippocampal set holds genes of striatal and cholinergic cells, so nucleus accumbens scores above cortex."""
    folder = shared_data / "gse102556_mouse_cvs"
    cohort = read_table(
        folder / "expression_counts.tsv.gz", folder / "samples.tsv", units="counts", columns={"sample": "sample_id"}
    )
    is_nac = (cohort.obs["region"] == "NAc").to_numpy()
    builder = GeneSets(path=str(gmt), mapping=str(mapping), units="counts")
    scores = builder.fit(cohort.X, is_nac.astype(int), genes=np.asarray(cohort.var_names, dtype=str)).transform(
        cohort.X
    )
    column = builder.get_feature_names_out().tolist().index(f"singscore__{SETS[0]}")
    assert scores[is_nac, column].min() > scores[~is_nac, column].max()
