"""responder_ml: is there evidence in brain-region expression that responders differ from non-responders?

The functions below are what the commands of the same names do, for use from Python: ``import responder_ml as rml``. Nothing is
loaded before it is used.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from responder_ml.classifiers import CLASSIFIERS
    from responder_ml.config import JobConfig as Job
    from responder_ml.features.builders import BUILDERS
    from responder_ml.features.signatures import SCORERS
    from responder_ml.library.calls import (
        claims,
        compare,
        load_run,
        plan,
        score,
        sets,
        simulate,
        study,
        train,
    )
    from responder_ml.library.claims import Claims
    from responder_ml.library.classes import Classes
    from responder_ml.library.graded import Graded
    from responder_ml.library.model import Model, load_bundle
    from responder_ml.library.replicate import replicate
    from responder_ml.library.run import Run
    from responder_ml.library.signatures import signatures
    from responder_ml.study_config import StudyConfig

    __version__: str

__all__ = [
    "BUILDERS",
    "CLASSIFIERS",
    "SCORERS",
    "Claims",
    "Classes",
    "Graded",
    "Job",
    "Model",
    "Run",
    "StudyConfig",
    "claims",
    "compare",
    "load_bundle",
    "load_run",
    "plan",
    "replicate",
    "score",
    "sets",
    "signatures",
    "simulate",
    "study",
    "train",
]

# Module and name of every public object that is not defined in library/calls.py under its own name.
_ELSEWHERE = {
    "BUILDERS": ("features.builders", "BUILDERS"),
    "CLASSIFIERS": ("classifiers", "CLASSIFIERS"),
    "Claims": ("library.claims", "Claims"),
    "Classes": ("library.classes", "Classes"),
    "Graded": ("library.graded", "Graded"),
    "Job": ("config", "JobConfig"),
    "Model": ("library.model", "Model"),
    "Run": ("library.run", "Run"),
    "SCORERS": ("features.signatures", "SCORERS"),
    "StudyConfig": ("study_config", "StudyConfig"),
    "load_bundle": ("library.model", "load_bundle"),
    "replicate": ("library.replicate", "replicate"),
    "signatures": ("library.signatures", "signatures"),
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Reading what is installed takes longer than everything else here.
        from importlib.metadata import version

        return version("responder-ml")
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    module, attribute = _ELSEWHERE.get(name, ("library.calls", name))
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), attribute)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


class _Package(ModuleType):
    """The package, whose public functions stay what they are whatever is imported first.

    ``train``, ``study`` and others are also modules, the flows behind the functions. Python binds a module in its package when it
    is imported; here that would put the module in the place of the function. ``from responder_ml.train import ...`` and
    ``importlib.import_module`` find the modules as ever.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in __all__):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
