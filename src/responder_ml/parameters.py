"""What values a parameter may have, written where the parameter is: in the signature of the class or function that takes it.

A job's ``params`` are checked against these annotations before data are read, so that an impossible value costs no hour of work.
"""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, PydanticSchemaGenerationError, TypeAdapter, ValidationError

from responder_ml.errors import ConfigError

# A number in quotes is a text, and true is no number.
_STRICT = ConfigDict(strict=True)

Share = Annotated[float, Field(ge=0, le=1)]
"""From 0 to 1, both included."""
ShareAboveZero = Annotated[float, Field(gt=0, le=1)]
"""Above 0, up to 1."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""Above 0 and finite."""
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""0 or more, and finite."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
"""Any finite number."""
Count = Annotated[int, Field(ge=1, le=10**7)]
"""A whole number, 1 or more."""
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A whole number, 0 or more."""


def _some(count: int) -> int:
    if count == 0:
        raise ValueError("write -1 for all cores, or the number of processes, at least 1")
    return count


Processes = Annotated[int, AfterValidator(_some)]
"""A number of processes; -1 stands for all cores."""


def check_values(owner: str, target: Any, params: Mapping[str, Any]) -> None:
    """Refuse values that a class or function does not take.

    Parameters
    ----------
    owner
        What takes them, as in "classifier 'elastic_net'".
    target
        The class or function.
    params
        Values by the names of its parameters, all of which it has.

    Raises
    ------
    ConfigError
        With every value that cannot be used, what it was and what it may be.
    """
    signature = inspect.signature(target, eval_str=True)
    problems = [
        f"{owner}: {name} is {value!r}: {reason}"
        for name, value in params.items()
        for reason in _problems(signature.parameters[name].annotation, value)
    ]
    if problems:
        raise ConfigError("\n".join(problems))


def _problems(annotation: Any, value: Any) -> list[str]:
    try:
        adapter = TypeAdapter(annotation, config=_STRICT)
    except PydanticSchemaGenerationError:
        return []
    try:
        adapter.validate_python(value)
    except ValidationError as problem:
        return [f"{error['msg'][0].lower()}{error['msg'][1:]}." for error in problem.errors(include_url=False)]
    return []
