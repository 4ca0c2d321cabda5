"""The settings that a user can change, as one frozen tree with defaults.

On the wire the names are camelCase below the section `phial`: `keep_alive` is `phial.keepAlive`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints


@dataclass(frozen=True)
class EngineSettings:
    """An OpenAI-compatible server to use instead of the local host."""

    url: str = ""
    model: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class CompletionSettings:
    """Ghost text. Lengths in tokens and lines, times in seconds."""

    enable: bool = True
    debounce: float = 0.15
    max_tokens: int = 96
    max_lines: int = 12


@dataclass(frozen=True)
class ChatSettings:
    """Questions and explanations. Lengths in tokens."""

    max_tokens: int = 1024
    temperature: float = 0.0


@dataclass(frozen=True)
class Settings:
    """All settings. `model` empty means the best one installed; `keep_alive` is in minutes."""

    model: str = ""
    device: str = "AUTO"
    keep_alive: float = 10.0
    engine: EngineSettings = field(default_factory=EngineSettings)
    completion: CompletionSettings = field(default_factory=CompletionSettings)
    chat: ChatSettings = field(default_factory=ChatSettings)


def parse(raw: object) -> tuple[Settings, list[str]]:
    """Read settings as an editor sends them, with or without the `phial` section around them.

    Never raises: what cannot be understood keeps its default and is named in the list of problems.
    """
    problems: list[str] = []
    if isinstance(raw, Mapping) and "phial" in raw:
        raw = raw["phial"]
    return _parse_tree(Settings, raw, "phial", problems), problems


def camel_case(name: str) -> str:
    """Return the name that a field has on the wire: `keep_alive` becomes `keepAlive`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


Tree = TypeVar("Tree")


def _parse_tree(tree: type[Tree], raw: object, path: str, problems: list[str]) -> Tree:
    if raw is None:
        return tree()
    if not isinstance(raw, Mapping):
        problems.append(f"`{path}` must be an object, not {_shown(raw)}; the defaults are used.")
        return tree()
    types = get_type_hints(tree)
    names = {camel_case(item.name): item.name for item in fields(tree)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in raw.items():
        name = names.get(key) if isinstance(key, str) else None
        if name is None:
            problems.append(f"`{path}.{key}` is not a setting of Phial; it is ignored.")
        elif is_dataclass(types[name]):
            values[name] = _parse_tree(types[name], value, f"{path}.{key}", problems)
        elif value is not None:
            wrong = _wrong_with(value, types[name])
            if wrong:
                problems.append(f"`{path}.{key}` {wrong}, not {_shown(value)}; the default is used.")
            else:
                values[name] = types[name](value)
    return tree(**values)


def _wrong_with(value: object, wanted: type) -> str | None:
    """Return what a value should be instead, or None if it is right."""
    fits = type(value) is wanted or (wanted is float and type(value) is int)
    if not fits:
        return f"must be {_TYPE_NAMES[wanted]}"
    if wanted in (int, float) and not 0 <= value <= _LARGEST:  # type: ignore[operator] # it is a number
        return "must be a number from 0 up"
    return None


_LARGEST = 1e9
_TYPE_NAMES = {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
