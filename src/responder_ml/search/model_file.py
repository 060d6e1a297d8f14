"""Models as one skops file that names our own classes and holds plain data, nothing else.

A file is looked through before skops sees it: the members of the archive, the header of every array and every class
named in the schema must be on the lists below. Those lists belong to this code, not to the file, and they are narrower
than what skops trusts by itself. Nothing is pickled: object arrays are refused, on writing as on reading.
"""

import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import numpy as np

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.exceptions import BundleError
from responder_ml.features.builders import BUILDERS
from responder_ml.features.expression_filter import ExpressionFilter
from responder_ml.features.normalise import Normaliser
from responder_ml.search.prefix_model import PrefixModel

_SCHEMA = "schema.json"
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_]+\.npy")
_ARRAY_KINDS = "biufU"
# A bundle of 50 models over 60,000 genes stays far below; more is an archive made to fill the memory.
_MOST_BYTES = 2**31
_SCALARS = ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64", "str_")
_PLAIN = {
    "DictNode": {"builtins.dict"},
    "ListNode": {"builtins.list"},
    "TupleNode": {"builtins.tuple"},
    "JsonNode": {"builtins.str"},
    "TypeNode": {"builtins.str"},
    "NdArrayNode": {"numpy.ndarray", *(f"numpy.{name}" for name in _SCALARS)},
}
_TREE_PARTS = ("left_children", "right_children", "split_indices", "split_conditions", "default_left", "split_type")
# What damaged or made-up content can raise inside zipfile, json, numpy, skops and our own classes.
_DAMAGE = (
    BadZipFile,
    zlib.error,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
    RecursionError,
    MemoryError,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ImportError,
)


def allowed_classes() -> frozenset[str]:
    """Return the classes a model may be made of: the registered ones and the steps they share."""
    from responder_ml.features.signatures import SCORERS

    families: tuple[Iterable[type[Any]], ...] = (BUILDERS, CLASSIFIERS, SCORERS)
    members = {member for family in families for member in family} | {PrefixModel, Normaliser, ExpressionFilter}
    return frozenset(f"{member.__module__}.{member.__qualname__}" for member in members)


def pack_models(models: Sequence[PrefixModel]) -> bytes:
    """Return fitted models as the content of a skops file.

    Raises
    ------
    BundleError
        A model holds something a file may not.
    """
    import skops.io

    content = skops.io.dumps(list(models), compression=ZIP_DEFLATED)
    _audit_models(content)
    return bytes(content)


def unpack_models(content: bytes) -> tuple[PrefixModel, ...]:
    """Return the models of a skops file, or refuse it before anything in it is built.

    Raises
    ------
    BundleError
        Damage, an array of objects, or a class that is not on our list.
    """
    import skops.io

    try:
        _audit_models(content)
        foreign = set(skops.io.get_untrusted_types(data=content)) - allowed_classes()
        if foreign:
            raise _foreign(foreign)
        models = skops.io.loads(content, trusted=sorted(allowed_classes()))
    except _DAMAGE as problem:
        raise BundleError(
            f"The model file is damaged: {_words(problem)}. Use an intact copy of the bundle."
        ) from problem
    if not isinstance(models, list) or not models or not all(isinstance(each, PrefixModel) for each in models):
        raise BundleError("The model file does not hold a list of models. Use a bundle that `train` wrote.")
    return tuple(models)


def pack_arrays(arrays: dict[str, np.ndarray[Any, Any]]) -> bytes:
    """Return named arrays as the content of an npz file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    content = buffer.getvalue()
    _audit_archive(content, ())
    return content


def unpack_arrays(content: bytes) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays of an npz file.

    Raises
    ------
    BundleError
        Damage, or an array of objects.
    """
    try:
        _audit_archive(content, ())
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except _DAMAGE as problem:
        raise BundleError(f"The reference file is damaged: {_words(problem)}. Use an intact copy.") from problem


def _audit_models(content: bytes) -> None:
    archive = _audit_archive(content, (_SCHEMA,))
    schema = json.loads(archive.read(_SCHEMA))
    allowed = allowed_classes()
    foreign = {name for loader, name, _ in _nodes(schema) if not _is_allowed(loader, name, allowed)}
    if foreign:
        raise _foreign(foreign)
    for loader, _, node in _nodes(schema):
        if loader == "JsonNode":
            value = json.loads(node["content"])
            if isinstance(value, str) and value.startswith("{"):
                _audit_trees(json.loads(value))


def _audit_trees(booster: dict[str, Any]) -> None:
    """Check that xgboost's JSON is trees whose every index stays inside: xgboost itself follows them unchecked."""
    if set(booster) != {"learner", "version"}:
        raise BundleError(f"The trees carry unknown content: {', '.join(sorted(booster)[:5])}. Do not use this file.")
    learner = booster["learner"]
    n_features = int(learner["learner_model_param"]["num_feature"])
    for tree in learner["gradient_booster"]["model"]["trees"]:
        left, right, split = tree["left_children"], tree["right_children"], tree["split_indices"]
        lengths = {len(tree[part]) for part in _TREE_PARTS}
        nodes = range(len(left))
        within = all(
            (low == -1 and high == -1) or (node < low < len(left) and node < high < len(left))
            for node, low, high in zip(nodes, left, right, strict=True)
        )
        sized = lengths == {len(left), int(tree["tree_param"]["num_nodes"])}
        if not sized or not within or any(tree["split_type"]) or not all(0 <= index < n_features for index in split):
            raise BundleError("The trees point outside themselves. Use an intact copy of the bundle.")


def _audit_archive(content: bytes, others: Sequence[str]) -> ZipFile:
    """Check the members of an archive of arrays and named other files."""
    archive = ZipFile(io.BytesIO(content))
    members = archive.infolist()
    names = [member.filename for member in members]
    strange = [name for name in names if name not in others and not _ARRAY_NAME.fullmatch(name)]
    if strange or len(set(names)) != len(names) or not set(others) <= set(names):
        raise BundleError(f"The archive has members it should not have or lacks some: {', '.join(sorted(names)[:5])}.")
    if any(member.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for member in members):
        raise BundleError("The archive is compressed in a way bundles never are.")
    if sum(member.file_size for member in members) > _MOST_BYTES:
        raise BundleError(f"The archive claims to hold more than {_MOST_BYTES // 2**20} MiB; no bundle is that large.")
    for member in members:
        if member.filename not in others:
            _audit_array(archive, member)
    return archive


def _audit_array(archive: ZipFile, member: zipfile.ZipInfo) -> None:
    """Check that an array's header promises plain numbers or text, and exactly the bytes that follow it."""
    with archive.open(member) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise BundleError(f"Array {member.filename} is in a format bundles never use.")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        start = stream.tell()
    if dtype.hasobject or dtype.kind not in _ARRAY_KINDS:
        raise BundleError(
            f"Array {member.filename} holds {dtype}; only plain numbers and text are read, never pickles."
        )
    if math.prod(shape) * dtype.itemsize != member.file_size - start:
        raise BundleError(f"Array {member.filename} does not have the size its header promises.")


def _nodes(value: Any) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Yield loader, class and content of every node of a skops schema."""
    if isinstance(value, dict):
        if "__loader__" in value or "__class__" in value:
            is_plain = value.get("type", "numpy") == "numpy" or value["__loader__"] != "NdArrayNode"
            loader = value["__loader__"] if is_plain else "array of objects"
            yield str(loader), f"{value['__module__']}.{value['__class__']}", value
        for part in value.values():
            yield from _nodes(part)
    elif isinstance(value, list):
        for part in value:
            yield from _nodes(part)


def _is_allowed(loader: str, name: str, classes: frozenset[str]) -> bool:
    return name in _PLAIN.get(loader, ()) or (loader == "ObjectNode" and name in classes)


def _foreign(names: set[str]) -> BundleError:
    return BundleError(
        f"The model file asks for {', '.join(sorted(names)[:5])}, which no bundle of ours may contain. "
        "Nothing of it was loaded. Do not use this file."
    )


def _words(problem: BaseException) -> str:
    return str(problem).strip().rstrip(".") or type(problem).__name__
