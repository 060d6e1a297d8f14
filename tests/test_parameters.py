import inspect

import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.errors import ConfigError
from responder_ml.features.builders import BUILDERS
from responder_ml.features.signatures import SCORERS
from responder_ml.parameters import check_values

MEMBERS = [member for family in (CLASSIFIERS, BUILDERS, SCORERS) for member in family]


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_every_component_takes_its_own_defaults_and_no_value_of_another_kind(member):
    parameters = inspect.signature(member).parameters
    check_values(member.name, member, {name: parameter.default for name, parameter in parameters.items()})
    for name, parameter in parameters.items():
        wrong = "abc" if isinstance(parameter.default, (bool, int, float)) else 5
        with pytest.raises(ConfigError, match=rf"{member.name}: {name} is "):
            check_values(member.name, member, {name: wrong})


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_every_number_of_every_component_has_limits(member):
    for name, parameter in inspect.signature(member).parameters.items():
        if isinstance(parameter.default, (int, float)) and not isinstance(parameter.default, bool):
            for impossible in (float("nan"), float("inf"), -1e300):
                with pytest.raises(ConfigError):
                    check_values(member.name, member, {name: impossible if name != "min_expression" else float("nan")})


def test_all_values_are_named_at_once():
    with pytest.raises(ConfigError, match=r"C is -1: .*greater than 0") as refused:
        check_values("classifier 'elastic_net'", CLASSIFIERS["elastic_net"], {"C": -1, "l1_ratio": 2})
    assert "l1_ratio is 2" in str(refused.value)


def test_whole_numbers_are_numbers_and_true_is_none():
    check_values("classifier", CLASSIFIERS["elastic_net"], {"C": 1})
    with pytest.raises(ConfigError):
        check_values("classifier", CLASSIFIERS["elastic_net"], {"C": True})
