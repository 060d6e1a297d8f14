"""The configuration described from the classes that read it: a page for people and a JSON schema that editors complete from."""

from collections.abc import Iterator, Mapping
from typing import Any

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.config import JobConfig
from responder_ml.features.builders import BUILDERS
from responder_ml.regressors import REGRESSORS
from responder_ml.study_config import StudyConfig

_INTRODUCTION = """# Configuration

Every key of a job (`train`, `check`, `claims`, `selftest`, ...) and of a study (`study`), with its default and its meaning. Units
stand in the meaning; a key without a default must be given. Unknown keys are refused. Relative paths start from the YAML file.

Editors that know YAML complete keys and show these texts with a first line such as
`# yaml-language-server: $schema=job.schema.json`, after `responder-ml list --schema > job.schema.json`.
"""
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "nothing",
}


def configuration_page() -> str:
    """Return the reference of jobs and studies as Markdown."""
    parts = [_INTRODUCTION]
    for title, model in (("A job", JobConfig), ("A study", StudyConfig)):
        schema = model.model_json_schema()
        parts += [f"## {title}\n", *_section(schema, schema["$defs"])]
        parts += list(_subsections(schema, schema["$defs"], "", set()))
    return "\n".join(parts)


def job_schema() -> dict[str, Any]:
    """Return the JSON schema of a job as people write it: names of builders and classifiers are known, short forms allowed."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **JobConfig.model_json_schema()}
    definitions = schema["$defs"]
    component = definitions.pop("ComponentConfig")
    for key, registry in (("builders", BUILDERS), ("classifiers", CLASSIFIERS), ("regressors", REGRESSORS)):
        kind = {**component["properties"]["kind"], "enum": registry.names()}
        whole = {**component, "properties": {**component["properties"], "kind": kind}}
        holder = schema["properties"][key]
        # A key that may be left out is a list or null.
        holder = next((part for part in holder.get("anyOf", ()) if part.get("type") == "array"), holder)
        holder["items"] = {"anyOf": [{"enum": registry.names()}, whole]}
    endpoint = definitions["EndpointConfig"]["properties"]
    word = {"type": ["string", "number", "boolean"]}
    for key in ("positive", "negative"):
        endpoint[key] = {**_described(endpoint[key]), "anyOf": [word, {"type": "array", "items": word}]}
    named = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "kind": {"type": "string"}},
        "required": ["name"],
    }
    value = definitions["ReliabilityConfig"]["properties"]["value"]
    endpoint["reliability"]["anyOf"].insert(0, {key: text for key, text in value.items() if key != "title"})
    endpoint["nuisance"]["items"] = {"anyOf": [{"type": "string"}, named]}
    return schema


def _described(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: content[key] for key in ("title", "description") if key in content}


def _subsections(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str, shown: set[str]
) -> Iterator[str]:
    for key, content in schema.get("properties", {}).items():
        name = _section_name(content)
        # A study's jobs have the sections described above it.
        if name is None or name in shown:
            continue
        shown.add(name)
        yield f"### `{prefix}{key}`\n"
        yield from _section(definitions[name], definitions)
        yield from _subsections(definitions[name], definitions, f"{prefix}{key}.", shown)


def _section(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_plain(schema.get('description', ''))}\n"
    yield "| key | value | default | meaning |\n|---|---|---|---|"
    required = schema.get("required", [])
    for key, content in schema.get("properties", {}).items():
        default = "" if key in required else _default(content, definitions)
        yield f"| `{key}` | {_value(content, definitions)} | {default} | {_plain(content.get('description', ''))} |"
    yield ""


def _plain(text: str) -> str:
    """Return a docstring as one line of Markdown."""
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def _section_name(content: Any) -> str | None:
    """Return the name of the section a key holds, one or many."""
    if isinstance(content, Mapping):
        if "$ref" in content:
            return str(content["$ref"]).rpartition("/")[2]
        of_keys = ("anyOf", "items", "additionalProperties")
        return next((name for key in of_keys if (name := _section_name(content.get(key)))), None)
    return (
        next((name for part in content if (name := _section_name(part))), None) if isinstance(content, list) else None
    )


def _default(content: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    default = content.get("default")
    if default in (None, [], {}, ""):
        return "none"
    if _section_name(content) in definitions:
        return "as below"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _value(content: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return what a key takes, in words."""
    if "$ref" in content:
        return "keys below"
    if "enum" in content:
        return ", ".join(f"`{value}`" for value in content["enum"])
    if "const" in content:
        return f"`{content['const']}`"
    if "anyOf" in content:
        values = [_value(part, definitions) for part in content["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(values))
    if content.get("type") == "array":
        return f"list of {_value(content.get('items', {}), definitions)}" if content.get("items") else "list"
    if content.get("type") == "object":
        inner = content.get("additionalProperties")
        return f"names with {_value(inner, definitions)}" if isinstance(inner, Mapping) and inner else "keys and values"
    if content.get("format") == "path":
        return "file"
    return _WORDS.get(str(content.get("type")), "anything") + _limits(content)


def _limits(content: Mapping[str, Any]) -> str:
    signs = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    limits = [f"{word} {content[sign]:g}" for sign, word in signs.items() if sign in content]
    return f" ({', '.join(limits)})" if limits else ""
