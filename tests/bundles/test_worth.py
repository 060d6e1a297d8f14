"""What a score is worth, by the verdict of the training."""

from pathlib import Path

import pytest

from responder_ml.bundles.bundle import read_bundle
from responder_ml.bundles.worth import UNKNOWN, Worth
from responder_ml.errors import BundleError
from responder_ml.report.verdict import NAMES

ARCHIVE = Path(__file__).parents[1] / "archives" / "0.1.0" / "genes-elastic_net"
LEVELS = [*NAMES, UNKNOWN]


def _worth(level):
    return Worth(level, "A sentence.", 0.81, (0.6, 0.95), 0.004)


@pytest.mark.parametrize("level", LEVELS)
def test_every_verdict_says_what_a_score_is_worth_with_its_numbers(level):
    sentence = _worth(level).sentence
    assert "(AUROC 0.81, 95 % interval 0.60 to 0.95, p = 0.004)" in sentence
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert ("as requested" in sentence) == (level not in ("evidence", "unknown"))
    assert "(" not in Worth(level, "", None, (None, None), None).sentence


def test_levels_differ_in_what_they_say():
    assert len({_worth(level).sentence for level in LEVELS}) == len(LEVELS)


@pytest.mark.parametrize("level", LEVELS)
def test_only_evidence_is_used_without_asking(level):
    worth = _worth(level)
    worth.require_evidence("models/a", anyway=True)
    if level in ("evidence", UNKNOWN):
        worth.require_evidence("models/a", anyway=False)
        return
    with pytest.raises(BundleError, match=f"models/a is '{level}'.*--anyway"):
        worth.require_evidence("models/a", anyway=False)


def test_every_row_carries_the_numbers():
    columns = _worth("evidence").columns
    assert columns["verdict"] == "evidence"
    assert [columns[f"verdict_{name}"] for name in ("auroc", "auroc_low", "auroc_high", "p")] == [
        0.81,
        0.6,
        0.95,
        0.004,
    ]


def test_an_archived_bundle_without_a_verdict_is_of_unknown_worth():
    assert read_bundle(ARCHIVE).worth.level == UNKNOWN


@pytest.mark.parametrize(
    ("training", "name"),
    [
        ({"verdict": 3}, "verdict"),
        ({"verdict": ["evidence"]}, "verdict"),
        ({"null": "none"}, "null"),
        ({"null": {"p_value": "0.01"}}, "p_value"),
        ({"null": {"p_value": True}}, "p_value"),
        ({"null": {"p_value": 10**400}}, "p_value"),
        ({"null": {"p_value": float("inf")}}, "p_value"),
    ],
)
def test_a_training_of_other_kinds_of_values_is_damage_and_named(training, name):
    for read in (Worth.of, Worth.of_classes):
        with pytest.raises(BundleError, match=f"damaged: {name} is not"):
            read(training)


@pytest.mark.parametrize("interval", [3, [0.5], [0.1, 0.2, 0.3], "ab", [0.5, "x"]])
def test_an_interval_that_is_none_is_damage(interval):
    with pytest.raises(BundleError, match="damaged: auroc_ci is not"):
        Worth.of({"headline": {"auroc_ci": interval}})


def test_what_was_not_computed_is_no_number():
    worth = Worth.of({"headline": {"auroc": float("nan"), "auroc_ci": [None, None]}, "null": None, "verdict": {}})
    assert (worth.auroc, worth.auroc_ci, worth.p_value, worth.level) == (None, (None, None), None, UNKNOWN)
    assert Worth.of_classes({"macro_auroc": 1}).auroc == 1.0
