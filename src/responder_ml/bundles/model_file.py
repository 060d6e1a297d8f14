"""Models as one skops file that holds only our own classes and plain data.

A file is checked before skops reads it: the members of the archive, the header of every array and every class named in the schema
must be on the lists below. The lists are part of this code, not of the file, and are narrower than what skops trusts by itself.
Nothing is pickled, neither on writing nor on reading.
"""

import json
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from responder_ml.array_archive import DAMAGE, describe_problem, open_archive
from responder_ml.bundles.booster_check import check_booster
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.in_context import InContext
from responder_ml.errors import BundleError
from responder_ml.features.builders import BUILDERS
from responder_ml.features.expression_filter import ExpressionFilter
from responder_ml.features.normalise import Normaliser
from responder_ml.features.signatures import SCORERS
from responder_ml.regressors import REGRESSORS
from responder_ml.search.mean_model import MeanClassifier, MeanModel, ScoringModel
from responder_ml.search.outcome_model import OutcomeModel
from responder_ml.search.prefix_model import PrefixModel

_SCHEMA = "schema.json"
_SCALARS = ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64", "str_")
_PLAIN = {
    "DictNode": {"builtins.dict"},
    "ListNode": {"builtins.list"},
    "TupleNode": {"builtins.tuple"},
    "JsonNode": {"builtins.str"},
    "TypeNode": {"builtins.str"},
    "NdArrayNode": {"numpy.ndarray", *(f"numpy.{name}" for name in _SCALARS)},
}


def allowed_classes() -> frozenset[str]:
    """Return the classes a model may be made of: the registered ones and the steps they share."""
    steps = {PrefixModel, MeanModel, MeanClassifier, OutcomeModel, Normaliser, ExpressionFilter}
    members: set[type[Any]] = {*steps, *BUILDERS, *CLASSIFIERS, *REGRESSORS, *SCORERS}
    return frozenset(f"{member.__module__}.{member.__qualname__}" for member in members)


def pack_models(models: Sequence[ScoringModel | OutcomeModel], classifiers: Sequence[MeanClassifier] = ()) -> bytes:
    """Return fitted models, and after them the classifiers of further outer models, as the content of a skops file.

    Raises
    ------
    BundleError
        A model holds something that a file may not hold.
    """
    import skops.io

    content = _without_addresses(bytes(skops.io.dumps([*models, *classifiers], compression=ZIP_DEFLATED)))
    _check_schema(content)
    return content


def _without_addresses(content: bytes) -> bytes:
    """Return a skops file in which nothing tells where in memory objects were, or the time: equal models give equal bytes."""
    numbers: dict[int, int] = {}
    names: dict[str, str] = {}

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(part) for part in value]
        if not isinstance(value, dict):
            return value
        plain = {key: renamed(part) for key, part in value.items() if key not in ("__id__", "file")}
        if "__id__" in value:
            plain["__id__"] = numbers.setdefault(value["__id__"], len(numbers) + 1)
        if isinstance(value.get("file"), str):
            plain["file"] = names.setdefault(value["file"], f"array{len(names) + 1}.npy")
        return plain

    with ZipFile(BytesIO(content)) as former:
        schema = renamed(json.loads(former.read(_SCHEMA)))
        parts = {new: former.read(old) for old, new in names.items()}
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, part in {_SCHEMA: json.dumps(schema, indent=2).encode(), **parts}.items():
            # A ZipInfo of its own bears no time.
            archive.writestr(ZipInfo(name), part, ZIP_DEFLATED)
    return buffer.getvalue()


def unpack_models(content: bytes) -> tuple[tuple[ScoringModel, ...], tuple[MeanClassifier, ...]]:
    """Return the models and the classifiers of a skops file, or refuse it before anything in it is built.

    Raises
    ------
    BundleError
        Damage, anything but plain arrays, or a class that is not on our list.
    """
    models = _unpack(content)
    if not models or not isinstance(models[0], ScoringModel):
        raise _no_models()
    is_model = [isinstance(model, ScoringModel) for model in models]
    classifiers = models[sum(is_model) :]
    if not all(is_model[: sum(is_model)]) or not all(isinstance(member, MeanClassifier) for member in classifiers):
        raise _no_models()
    return tuple(models[: sum(is_model)]), tuple(classifiers)


def unpack_outcome_model(content: bytes) -> OutcomeModel:
    """Return the model of a skops file that predicts a graded outcome, or refuse the file before anything in it is built.

    Raises
    ------
    BundleError
        As for `unpack_models`.
    """
    models = _unpack(content)
    if len(models) != 1 or not isinstance(models[0], OutcomeModel):
        raise _no_models()
    return models[0]


def _unpack(content: bytes) -> list[Any]:
    import skops.io

    try:
        _check_schema(content)
        foreign = set(skops.io.get_untrusted_types(data=content)) - allowed_classes()
        if foreign:
            raise _foreign(foreign)
        models = skops.io.loads(content, trusted=sorted(allowed_classes()))
    except DAMAGE as problem:
        raise BundleError(f"The model file is damaged ({describe_problem(problem)}). Use an intact copy.") from problem
    if not isinstance(models, list):
        raise _no_models()
    return models


def _no_models() -> BundleError:
    return BundleError("The model file does not hold a list of models. Use a bundle that `train` wrote.")


def _check_schema(content: bytes) -> None:
    schema = json.loads(open_archive(content, (_SCHEMA,)).read(_SCHEMA))
    allowed = allowed_classes()
    nodes = list(_nodes(schema))
    foreign = {name for loader, name, _ in nodes if not _is_allowed(loader, name, allowed)}
    if foreign:
        raise _foreign(foreign)
    for loader, _, node in nodes:
        if loader == "JsonNode":
            value = json.loads(node["content"])
            if isinstance(value, str) and value.startswith("{"):
                check_booster(value)


def _nodes(value: Any) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Yield loader, class and content of every node of a skops schema."""
    if isinstance(value, dict):
        if "__loader__" in value or "__class__" in value:
            loader = str(value["__loader__"])
            # skops stores an array of objects as a list of nodes; ours are never of objects.
            is_of_objects = loader == "NdArrayNode" and value["type"] != "numpy"
            yield loader, f"{value['__module__']}.{value['__class__']}" + " of objects" * is_of_objects, value
        for part in value.values():
            yield from _nodes(part)
    elif isinstance(value, list):
        for part in value:
            yield from _nodes(part)


def _is_allowed(loader: str, name: str, classes: frozenset[str]) -> bool:
    return name in _PLAIN.get(loader, ()) or (loader == "ObjectNode" and name in classes)


def _foreign(names: set[str]) -> BundleError:
    if names == {f"{InContext.__module__}.{InContext.__qualname__}"}:
        return BundleError(
            "The model is made of in_context, which needs what the extra 'geneicl' installs, and it is not here. Run "
            "pip install 'responder-ml[geneicl]'."
        )
    return BundleError(
        f"The model file asks for {', '.join(sorted(names)[:5])}, which no bundle may contain. "
        "Nothing of it was loaded. Do not use this file."
    )
