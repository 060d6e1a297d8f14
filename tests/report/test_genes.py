import re

import numpy as np
import pandas as pd

from responder_ml.evaluation.verdict import Verdict
from responder_ml.report.figures.beeswarm import MOST_DOTS, swarm, thinned
from responder_ml.report.genes import Genes


def test_called_out_genes_are_named(built, typical_run):
    section, genes = built("typical_run").section("genes"), typical_run.tables["genes"]
    called = genes[genes["called_out"] == 1].sort_values("strength", ascending=False)["gene"]
    assert f"<strong>{', '.join(called)}</strong>" in section
    figure, of_modules = section.split("Modules of correlated genes")
    assert figure.count(">★ ") == len(called) > 0
    assert "not what causes" in section
    modules = typical_run.tables["modules"]
    lead = modules.loc[modules["called_out"] == 1, "module"].item()
    assert f"<strong>{lead} +3</strong>" in of_modules
    assert of_modules.count(">★ ") == 1


def test_a_confounded_verdict_says_what_called_out_genes_may_be(typical_run):
    result = typical_run.result.model_copy(update={"verdict": Verdict("confounded", "Confounded.")})
    assert "distinguish batches" in Genes().render(type(typical_run)(result, typical_run.tables, typical_run.config))
    assert "distinguish batches" not in Genes().render(typical_run)


def test_called_out_genes_lead_even_if_they_contribute_less(typical_run):
    genes = typical_run.tables["genes"].copy()
    last = len(genes) - 1
    genes.loc[last, ["strength", "called_out"]] = [99.0, 1]
    content = Genes().content(type(typical_run)(typical_run.result, {**typical_run.tables, "genes": genes}, {}))
    assert content["rows"][0]["gene"] == genes.loc[last, "gene"]


def test_without_a_comparison_no_gene_is_called_out(built):
    section = built("no_null_run").section("genes")
    assert "No gene is called out" in section
    assert "★" not in section


def test_annotation_tracks_share_no_letter(built):
    key = re.findall(r'class="swatch"[^>]*>(\w)</span> ([\w-]+)', built("typical_run").section("genes"))
    assert [value for _, value in key][:4] == ["responder", "non-responder", "imipramine", "ketamine"]
    assert len({letter for letter, _ in key}) == len(key)


def test_many_samples_are_averaged_and_thinned_and_both_are_said(built):
    section = " ".join(built("large_run").section("genes").split())
    assert "mean of up to 17 neighbouring samples" in section
    assert f"{MOST_DOTS} of" in section


def test_genes_that_never_spoke_are_no_section(typical_run):
    silent = typical_run.tables["genes"].assign(contribution=0.0)
    run = type(typical_run)(typical_run.result, {**typical_run.tables, "genes": silent}, typical_run.config)
    assert "No gene contributed" in Genes().content(run)


def test_thinning_keeps_both_ends_and_the_shape():
    rows = pd.DataFrame({"contribution": np.arange(1000.0)})
    thin = thinned(rows)["contribution"]
    assert len(thin) == MOST_DOTS
    assert (thin.iloc[0], thin.iloc[-1]) == (0.0, 999.0)
    assert np.ptp(np.diff(thin)) <= 1


def test_a_swarm_keeps_like_values_apart_and_within_its_row():
    offsets = swarm(np.zeros(5), 1.0)
    assert len(set(offsets)) == 5
    assert abs(offsets.sum()) <= abs(offsets).max()
    assert abs(swarm(np.zeros(100), 1.0)).max() <= 0.42 + 1e-12
    assert swarm(np.array([-1.0, 0.0, 1.0]), 1.0).tolist() == [0, 0, 0]


def test_signatures_have_bars_and_a_table_and_nothing_called_out(built, typical_run):
    of_signatures = built("typical_run").section("genes").split("<h3>Signatures</h3>")[1]
    assert "★" not in of_signatures
    assert "not compared with relabelled subjects" in " ".join(of_signatures.split())
    for name in typical_run.tables["signatures"]["signature"]:
        assert f'<th scope="row">{name}</th>' in of_signatures
