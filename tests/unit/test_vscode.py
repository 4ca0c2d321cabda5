"""The VS Code extension knows the messages and the settings of the server as they are."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import attrs
import pytest

from phial import __version__
from phial.lsp import protocol
from phial.settings import Settings, camel_case

EXTENSION = Path(__file__).parents[2] / "client-vscode"
MANIFEST: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text("utf-8"))
PROPERTIES: dict[str, Any] = MANIFEST["contributes"]["configuration"]["properties"]
PROTOCOL = (EXTENSION / "src" / "protocol.ts").read_text("utf-8")

SHARED = (
    *(protocol.Turn, protocol.Attachment, protocol.ChatParams, protocol.ChatPiece, protocol.ChatUsage),
    *(protocol.ChatResult, protocol.StatusResult, protocol.ModelEntry, protocol.ModelsResult),
    protocol.PullParams,
)


@pytest.mark.parametrize("kind", SHARED, ids=lambda kind: kind.__name__)
def test_a_message_has_the_same_fields(kind: type[Any]) -> None:
    body = re.search(rf"export interface {kind.__name__} \{{\n(.*?)\n\}}", PROTOCOL, re.DOTALL)
    assert body, f"protocol.ts has no {kind.__name__}"
    written = {
        name: bool(optional) for name, optional in re.findall(r"^  (\w+)(\??):", body[1], re.MULTILINE)
    }
    assert written == {
        camel_case(field.name): field.default is not attrs.NOTHING for field in attrs.fields(kind)
    }


def test_no_message_is_missing() -> None:
    assert set(re.findall(r"export interface (\w+)", PROTOCOL)) == {kind.__name__ for kind in SHARED}


@pytest.mark.parametrize(
    ("constant", "method"),
    [
        ("chatRequest", protocol.CHAT),
        ("statusRequest", protocol.STATUS),
        ("statusNotification", protocol.STATUS),
        ("modelsRequest", protocol.MODELS),
        ("pullRequest", protocol.PULL),
    ],
)
def test_a_method_has_the_same_name(constant: str, method: str) -> None:
    assert re.search(rf'{constant} = new \w+<[^(]*>\("{method}"\)', PROTOCOL)


@pytest.mark.parametrize("name", ["task", "state", "finishReason", "obtain", "role"])
def test_the_words_are_the_same(name: str) -> None:
    kinds = {
        "task": protocol.ChatParams,
        "state": protocol.StatusResult,
        "finishReason": protocol.ChatResult,
        "obtain": protocol.ModelEntry,
        "role": protocol.Turn,
    }
    python_name = "finish_reason" if name == "finishReason" else name
    literal = get_type_hints(kinds[name])[python_name]
    written = re.search(rf"(?:{name}: |type {name.capitalize()} = )([^;\n]+);", PROTOCOL)
    assert written
    assert set(re.findall(r'"(\w+)"', written[1])) == set(literal.__args__)


def leaves(tree: type[Any], path: str) -> dict[str, tuple[Field[Any], Any]]:
    """Return the settings below a path, with their types."""
    types = get_type_hints(tree)
    found: dict[str, tuple[Field[Any], Any]] = {}
    for field in fields(tree):
        name = f"{path}.{camel_case(field.name)}"
        if is_dataclass(types[field.name]):
            found |= leaves(types[field.name], name)
        else:
            found[name] = field, types[field.name]
    return found


SETTINGS = leaves(Settings, "phial")
IN_SECRET_STORAGE = {"phial.engine.key"}
OF_THE_EXTENSION = {"phial.server.command", "phial.server.python"}


def test_the_settings_are_the_same() -> None:
    assert set(PROPERTIES) - OF_THE_EXTENSION == set(SETTINGS) - IN_SECRET_STORAGE


@pytest.mark.parametrize("name", sorted(set(SETTINGS) - IN_SECRET_STORAGE))
def test_a_setting_has_the_same_type_default_and_bounds(name: str) -> None:
    field, kind = SETTINGS[name]
    shown = PROPERTIES[name]
    words = {str: "string", bool: "boolean", int: "integer", float: "number"}
    assert shown["type"] == words.get(kind, "array")
    assert field.default is not MISSING
    assert shown["default"] == (list(field.default) if isinstance(field.default, tuple) else field.default)
    assert tuple(shown.get("enum", ())) == field.metadata.get("words", ())
    assert (shown.get("minimum"), shown.get("maximum")) == field.metadata.get("bounds", (None, None))


def test_what_names_programs_models_servers_or_devices_is_no_business_of_a_workspace() -> None:
    ours = {name for name in PROPERTIES if not name.startswith(("phial.completion.", "phial.chat."))}
    restricted = MANIFEST["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert set(restricted) == ours
    assert {name for name, shown in PROPERTIES.items() if shown.get("scope") == "machine"} == ours


def test_every_command_of_the_manifest_is_registered_and_every_registered_one_is_in_it() -> None:
    registered = re.findall(
        r'^    "(phial\.[\w.]+)":', (EXTENSION / "src" / "commands.ts").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(registered) == sorted(command["command"] for command in MANIFEST["contributes"]["commands"])


def test_the_version_is_the_servers() -> None:
    assert MANIFEST["version"] == __version__
