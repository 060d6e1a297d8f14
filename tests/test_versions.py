import platform
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import xgboost

from responder_ml.versions import installed_package, version_of, versions_of


def test_the_version_is_that_of_whichever_build_is_installed():
    assert version_of("xgboost") == xgboost.__version__
    assert installed_package("xgboost") in ("xgboost", "xgboost-cpu")
    assert installed_package("numpy") == "numpy"


def test_a_missing_library_is_not_given_a_version():
    with pytest.raises(PackageNotFoundError):
        version_of("a-library-nobody-wrote")


def test_results_record_python_and_every_library():
    assert versions_of(["numpy"]) == {"python": platform.python_version(), "numpy": np.__version__}
