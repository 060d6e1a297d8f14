"""What is wrong with a configuration, in sentences: unknown keys, keys of earlier versions, impossible values."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from responder_ml.registry import did_you_mean


def explain(problem: ValidationError, root: type[BaseModel]) -> Iterable[str]:
    """Yield a sentence for each finding in a configuration of the kind ``root``."""
    for error in problem.errors():
        key = ".".join(str(part) for part in error["loc"])
        if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            section, name = _section_at(root, error["loc"][:-1]), str(error["loc"][-1])
            removed = getattr(section, "removed", {}).get(name)
            yield (
                f"'{key}' is a key of earlier versions. {removed}"
                if removed
                else f"unknown key '{key}'. {did_you_mean(name, list(_fields(section)))}"
            )
        elif not key:
            # Keys that do not go together.
            yield f"{error['msg'].removeprefix('Value error, ')}."
        elif error["type"] == "missing":
            yield f"'{key}' is missing."
        else:
            yield f"'{key}' is {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}."


def _section_at(root: type[BaseModel], location: tuple[int | str, ...]) -> type:
    """Return the kind of section at a location of a configuration."""
    section: type = root
    for part in location:
        known = _fields(section)
        if part not in known:
            # The number of an item in a list, or its name in a table.
            continue
        section = _section_in(known[str(part)]) or section
    return section


def _fields(section: type) -> dict[str, Any]:
    """Return the annotation of every key of a section."""
    if issubclass(section, BaseModel):
        return {name: field.annotation for name, field in section.model_fields.items()}
    return {field.name: field.type for field in fields(section)} if is_dataclass(section) else {}


def _section_in(annotation: Any) -> type | None:
    """Return the kind of section that a field holds, one or many."""
    for inner in (annotation, *get_args(annotation)):
        if isinstance(inner, type) and (issubclass(inner, BaseModel) or is_dataclass(inner)):
            return inner
    return None
