"""The words of the two classes."""

import numpy as np
import pandas as pd
import pytest

from responder_ml.cohort.class_values import class_names, exclude_other_values, find_classes
from responder_ml.errors import EndpointError

RECIST = pd.Series(["CR", "PR", "SD", "PD", "NE", ""])


def test_a_class_of_several_values_and_what_is_neither():
    positive, negative = find_classes(RECIST, "best", ["CR", "PR"], ["PD"])
    assert (positive, negative) == (("CR", "PR"), ("PD",))
    sheet = pd.DataFrame({"best": RECIST.to_numpy()}, index=list("abcdef"))
    excluded = exclude_other_values(sheet, "best", ["CR", "PR", "PD"], np.ones(6, dtype=bool), ("CR or PR", "PD"))
    assert [(one.value, one.samples) for one in excluded] == [("NE", ("e",)), ("SD", ("c",)), ("", ("f",))]
    assert class_names(RECIST, ["CR", "PR"], ["PD"]).tolist() == ["CR or PR", "CR or PR", "", "PD", "", ""]


@pytest.mark.parametrize(
    ("values", "positive", "message"),
    [
        (["Yes", "yes", "no"], "True", "in quotes"),
        (["Responder", "no"], "responder", r"'Responder' differs from it by case"),
        (["a", "no"], "b", "These values occur: a, no"),
        (["no", "a"], "no", "both classes"),
    ],
)
def test_words_that_cannot_be_found_are_explained(values, positive, message):
    with pytest.raises(EndpointError, match=message):
        find_classes(pd.Series(values), "answer", [positive], ["no"])
