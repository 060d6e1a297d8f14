"""scikit-learn's estimator checks: whole for one estimator of each kind, a reduced list for its siblings."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.classifiers.xgboost import XGBoost
from responder_ml.features.builders import BUILDERS
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.features.expression_filter import ExpressionFilter
from responder_ml.features.normalise import Normaliser
from responder_ml.features.signatures import SCORERS
from responder_ml.features.signatures.mean_z import MeanZ
from responder_ml.features.signatures.singscore import Singscore
from responder_ml.regressors import REGRESSORS

# A linear and a tree classifier (one keeps arrays, the other a booster), a builder of genes and one of signatures, a scorer of
# z-scores and one of ranks, and the normaliser. What siblings inherit from `Classifier`, `Builder` or `SignatureScorer`
# (validation, tags, messages, decisions against probabilities) is checked on these.
ONE_OF_EACH_KIND = (ElasticNet, XGBoost, Genes, GeneSets, MeanZ, Singscore, Normaliser)
SIBLINGS = [
    kind for kind in (*CLASSIFIERS, *REGRESSORS, *BUILDERS, *SCORERS, ExpressionFilter) if kind not in ONE_OF_EACH_KIND
]

# What a class can break by itself: its constructor and parameters, what it sets in fit, writing to its input, a result that
# depends on the batch or on an earlier fit, and data at the edge (one row, one column, another number type, classes to tell).
CHECKS_THAT_DIFFER = {
    "check_estimator_cloneable",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_no_attributes_set_in_init",
    "check_dont_overwrite_parameters",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_fit_idempotent",
    "check_n_features_in",
    "check_readonly_memmap_input",
    "check_dict_unchanged",
    "check_estimators_dtypes",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_fit2d_1sample",
    "check_fit2d_1feature",
    "check_classifiers_train",
    "check_classifiers_classes",
    "check_transformer_general",
}
# Every exception has its reason here; the list may only shrink.
EXPECTED_FAILURES = {
    (
        "Majority",
        "check_classifiers_train",
    ): "answers with the training odds, so it cannot reach the accuracy asked for",
}


@parametrize_with_checks([kind() for kind in ONE_OF_EACH_KIND])
def test_one_estimator_of_each_kind_passes_every_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", SIBLINGS)
def test_siblings_pass_the_checks_that_a_class_can_break_by_itself(kind):
    passed = set()
    for estimator, check in estimator_checks_generator(kind()):
        name = getattr(check, "func", check).__name__
        if name not in CHECKS_THAT_DIFFER:
            continue
        if (kind.__name__, name) in EXPECTED_FAILURES:
            with pytest.raises(AssertionError):
                check(estimator)
        else:
            check(estimator)
        passed.add(name)
    of_the_other_type = {
        name for name in CHECKS_THAT_DIFFER - passed if "classifiers_" in name or "transformer_" in name
    }
    assert passed == CHECKS_THAT_DIFFER - of_the_other_type
