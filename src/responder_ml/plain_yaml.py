"""YAML of people and strangers: plain values only, every key once, and never more than a configuration can need.

A few hundred bytes of YAML can stand for billions of values (a name for a list of names for a list), nest deeper than the reader
can follow, or hold a number whose conversion takes minutes. Such a text is refused while it is read.
"""

from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 2**22
_MOST_NODES = 100_000
_MOST_LEVELS = 40
_MOST_DIGITS = 400


def read_yaml_file(path: Path) -> Any:
    """Return what a YAML file holds.

    Raises
    ------
    OSError, UnicodeDecodeError
        It cannot be read, or is no file.
    yaml.YAMLError
        It is not YAML, has a key twice, or is larger or deeper than any configuration.
    """
    if path.exists() and not path.is_file():
        raise yaml.YAMLError("it is not a file")
    if path.stat().st_size > _MOST_BYTES:
        raise yaml.YAMLError(f"it has more than {_MOST_BYTES // 2**20} MiB, which no configuration has")
    return read_yaml_text(path.read_text(encoding="utf-8"))


def read_yaml_text(text: str) -> Any:
    """Return what a YAML text holds.

    Raises
    ------
    yaml.YAMLError
        As for `read_yaml_file`.

    Examples
    --------
    >>> read_yaml_text("folds: 5")
    {'folds': 5}
    """
    try:
        return yaml.load(text, _PlainLoader)
    except (ValueError, OverflowError, RecursionError) as problem:
        # A date such as 2026-13-01, or a number that Python refuses to convert.
        raise yaml.YAMLError(f"a value cannot be read: {problem}") from problem


class _PlainLoader(yaml.SafeLoader):
    """Counts nodes as often as they are referred to, and refuses what is too much."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._level = 0
        self._sizes: dict[str, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node, counting it and what it refers to."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        anchor = event.anchor
        if isinstance(event, yaml.AliasEvent):
            if anchor in self.anchors and anchor not in self._sizes:
                raise _refusal(f"'*{anchor}' refers to itself", event)
            self._count(self._sizes.get(anchor, 0), event)
            return super().compose_node(parent, index)
        before = self._nodes
        self._count(1, event)
        self._level += 1
        if self._level > _MOST_LEVELS:
            raise _refusal(f"it is nested more than {_MOST_LEVELS} levels deep", event)
        node = super().compose_node(parent, index)
        self._level -= 1
        if anchor is not None:
            self._sizes[anchor] = self._nodes - before
        _check_node(node)
        return node

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > _MOST_NODES:
            raise _refusal(f"it stands for more than {_MOST_NODES:,} values", event)


def _check_node(node: Any) -> None:
    """Refuse a number too long to be converted, and a key that stands in a mapping twice."""
    if isinstance(node, yaml.ScalarNode) and node.tag.endswith((":int", ":float")) and len(node.value) > _MOST_DIGITS:
        raise _refusal(f"a number has {len(node.value)} digits", node)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            name, line = (key.tag, key.value), key.start_mark.line + 1
            if name in lines:
                raise _refusal(f"the key '{key.value}' stands there twice, first in line {lines[name]}", key)
            lines[name] = line


def _refusal(reason: str, at: Any) -> yaml.YAMLError:
    return yaml.YAMLError(f"line {at.start_mark.line + 1}: {reason}")
