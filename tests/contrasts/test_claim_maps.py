import numpy as np

from responder_ml.contrasts.claim_maps import map_region
from responder_ml.contrasts.contrast import Contrast, contrast_table
from responder_ml.contrasts.rrho2 import rrho2
from responder_ml.contrasts.study_regions import StudyRegion


def test_maps_compare_stress_with_each_drug_and_the_drugs(noise, study):
    genes = np.array([f"g{place}" for place in range(400)])
    region = StudyRegion("PFC", noise, genes, study, tuple(map(str, range(25))))
    found = map_region(region)
    assert [(each.first, each.second) for each in found] == [
        ("susceptible less control", "imipramine responder less susceptible"),
        ("susceptible less control", "ketamine responder less susceptible"),
        ("imipramine responder less susceptible", "ketamine responder less susceptible"),
    ]
    pairs = [
        Contrast("stress", "susceptible", "control"),
        Contrast("drug", "ketamine responder", "susceptible"),
    ]
    t = contrast_table(noise, study, pairs).t
    expected = rrho2(t[0], t[1], 20)
    np.testing.assert_array_equal(found[1].values.up_down, expected.up_down)
    # The shared susceptible animals alone make the contrasts oppose each other.
    assert found[1].values.discordant > found[1].values.concordant
