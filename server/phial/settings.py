"""The settings that a user can change, as one frozen tree with defaults.

On the wire the names are camelCase below the section `phial`: `keep_alive` is `phial.keepAlive`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

Number = TypeVar("Number", int, float)


def _number(default: Number, lowest: float, highest: float) -> Number:
    """Return a field whose value must lie within bounds."""
    return field(default=default, metadata={"bounds": (lowest, highest)})


def _one_of(default: str, *others: str) -> str:
    """Return a field whose value must be one of some words."""
    return field(default=default, metadata={"words": (default, *others)})


@dataclass(frozen=True)
class EngineSettings:
    """An OpenAI-compatible server to use instead of the local host."""

    url: str = ""
    model: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class ThresholdSettings:
    """How likely ghost text must be a good one to be shown unasked: a probability; 0 shows all, -1 what was learnt."""

    rest: float = _number(-1.0, -1, 1)
    line: float = _number(-1.0, -1, 1)
    block: float = _number(-1.0, -1, 1)


@dataclass(frozen=True)
class CompletionSettings:
    """Ghost text. Lengths in tokens, lines and characters, times in seconds; languages by their LSP ids.

    With the trigger `manual`, and with `on_battery` `manual` on battery, only what is asked for is completed.
    `debounce` is the longest wait for a pause, `time_budget` what may pass until a line is complete. With `context`,
    the model also reads what is related in other open documents.
    """

    enable: bool = True
    trigger: str = _one_of("automatic", "manual")
    on_battery: str = _one_of("on", "manual")
    disabled_languages: tuple[str, ...] = ()
    max_file_size: int = _number(1_000_000, 0, 1_000_000_000)
    debounce: float = _number(0.4, 0, 10)
    time_budget: float = _number(1.5, 0.1, 60)
    max_tokens: int = _number(96, 1, 2048)
    max_lines: int = _number(12, 1, 200)
    context: bool = False
    threshold: ThresholdSettings = field(default_factory=ThresholdSettings)


@dataclass(frozen=True)
class ChatSettings:
    """Questions and explanations. Lengths in tokens."""

    max_tokens: int = _number(1024, 1, 32768)
    temperature: float = _number(0.0, 0, 2)


@dataclass(frozen=True)
class Settings:
    """All settings. `model` empty means the best one installed; `keep_alive` is in minutes."""

    model: str = ""
    device: str = "AUTO"
    keep_alive: float = _number(10.0, 0, 100_000)
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
    known = {camel_case(item.name): item for item in fields(tree)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in raw.items():
        item = known.get(key) if isinstance(key, str) else None
        if item is None:
            problems.append(f"`{path}.{key}` is not a setting of Phial; it is ignored.")
        elif is_dataclass(types[item.name]):
            values[item.name] = _parse_tree(types[item.name], value, f"{path}.{key}", problems)
        elif value is not None:
            wanted = types[item.name]
            wrong = _wrong_with(value, wanted, item.metadata)
            if wrong:
                problems.append(f"`{path}.{key}` {wrong}, not {_shown(value)}; the default is used.")
            else:
                values[item.name] = tuple(value) if wanted == _STRINGS else wanted(value)
    return tree(**values)


def _wrong_with(value: object, wanted: Any, limits: Mapping[str, Any]) -> str | None:
    """Return what a value should be instead, or None if it is right."""
    if wanted == _STRINGS:
        fits = isinstance(value, list | tuple) and all(type(item) is str for item in value)
    else:
        fits = type(value) is wanted or (wanted is float and type(value) is int)
    if not fits:
        return f"must be {_TYPE_NAMES[wanted]}"
    words, bounds = limits.get("words"), limits.get("bounds")
    if words and value not in words:
        return f"must be {' or '.join(map(repr, words))}"
    if bounds and not bounds[0] <= value <= bounds[1]:
        return f"must be a number from {bounds[0]:,} to {bounds[1]:,}"
    return None


_STRINGS = tuple[str, ...]
_TYPE_NAMES = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    _STRINGS: "a list of strings",
}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
