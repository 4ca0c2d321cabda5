from __future__ import annotations

import math
from dataclasses import asdict, fields, is_dataclass
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phial.settings import (
    ChatSettings,
    CompletionSettings,
    EngineSettings,
    Settings,
    ThresholdSettings,
    camel_case,
    parse,
)

DEFAULTS = Settings()

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)
keys = st.sampled_from(
    [
        "phial",
        "model",
        "device",
        "keepAlive",
        "engine",
        "url",
        "completion",
        "enable",
        "debounce",
        "maxTokens",
        "chat",
    ]
)
near_settings = st.recursive(json_values, lambda children: st.dictionaries(keys, children), max_leaves=10)

settings = st.builds(
    Settings,
    model=st.text(),
    device=st.text(),
    keep_alive=st.floats(0, 100_000),
    engine=st.builds(EngineSettings, url=st.text(), model=st.text(), key=st.text()),
    completion=st.builds(
        CompletionSettings,
        enable=st.booleans(),
        trigger=st.sampled_from(["automatic", "manual"]),
        on_battery=st.sampled_from(["on", "manual"]),
        max_file_size=st.integers(0, 10**9),
        time_budget=st.floats(0.1, 60),
        disabled_languages=st.lists(st.text()).map(tuple),
        debounce=st.floats(0, 10),
        max_tokens=st.integers(1, 2048),
        max_lines=st.integers(1, 200),
        context=st.booleans(),
        threshold=st.builds(ThresholdSettings, *[st.floats(-1, 1)] * 3),
    ),
    chat=st.builds(ChatSettings, max_tokens=st.integers(1, 32768), temperature=st.floats(0, 2)),
)


def wire(tree: Any) -> dict[str, Any]:
    """Write settings as an editor would."""
    return {
        camel_case(item.name): wire(value) if is_dataclass(value := getattr(tree, item.name)) else value
        for item in fields(tree)
    }


@given(json_values | near_settings)
@example({"phial": {"phial": {}}})
@example({"engine": {"url": None, "key": []}})
def test_parse_never_raises(raw: object) -> None:
    parsed, problems = parse(raw)
    assert isinstance(parsed, Settings)
    assert all(problem.startswith("`phial") and problem.endswith(".") for problem in problems)


@given(json_values | near_settings)
def test_whatever_is_parsed_is_right_from_then_on(raw: object) -> None:
    parsed, _ = parse(raw)
    assert parse(wire(parsed)) == (parsed, [])


@given(settings)
def test_good_settings_come_through_as_they_are(wanted: Settings) -> None:
    assert parse(wire(wanted)) == (wanted, [])
    assert parse({"phial": wire(wanted)}) == (wanted, [])


@pytest.mark.parametrize("raw", [None, {}, {"phial": None}, {"phial": {}}, {"engine": None, "model": None}])
def test_nothing_said_means_the_defaults(raw: object) -> None:
    assert parse(raw) == (DEFAULTS, [])


def test_the_defaults() -> None:
    assert wire(DEFAULTS) == {
        "model": "",
        "device": "AUTO",
        "keepAlive": 10.0,
        "engine": {"url": "", "model": "", "key": ""},
        "completion": {
            "enable": True,
            "trigger": "automatic",
            "onBattery": "on",
            "disabledLanguages": (),
            "maxFileSize": 1_000_000,
            "debounce": 0.4,
            "timeBudget": 1.5,
            "maxTokens": 96,
            "maxLines": 12,
            "context": False,
            "threshold": {"rest": -1.0, "line": -1.0, "block": -1.0},
        },
        "chat": {"maxTokens": 1024, "temperature": 0.0},
    }


def test_names_are_camel_case_on_the_wire() -> None:
    parsed, problems = parse({"keepAlive": 1.5, "completion": {"maxTokens": 8, "maxLines": 2}})
    assert problems == []
    assert parsed == Settings(keep_alive=1.5, completion=CompletionSettings(max_tokens=8, max_lines=2))


@pytest.mark.parametrize(
    ("name", "on_the_wire"),
    [("model", "model"), ("keep_alive", "keepAlive"), ("max_prefix_lines", "maxPrefixLines")],
)
def test_camel_case(name: str, on_the_wire: str) -> None:
    assert camel_case(name) == on_the_wire


def test_a_whole_number_will_do_for_seconds() -> None:
    parsed, problems = parse({"completion": {"debounce": 1}})
    assert problems == []
    assert type(parsed.completion.debounce) is float


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ([], "`phial` must be an object, not []; the defaults are used."),
        ({"phial": "on"}, "`phial` must be an object, not 'on'; the defaults are used."),
        ({"engine": "x"}, "`phial.engine` must be an object, not 'x'; the defaults are used."),
        ({"model": 3}, "`phial.model` must be a string, not 3; the default is used."),
        ({"device": ["CPU"]}, "`phial.device` must be a string, not ['CPU']; the default is used."),
        ({"keepAlive": "10"}, "`phial.keepAlive` must be a number, not '10'; the default is used."),
        ({"keepAlive": True}, "`phial.keepAlive` must be a number, not True; the default is used."),
        (
            {"keepAlive": -1},
            "`phial.keepAlive` must be a number from 0 to 100,000, not -1; the default is used.",
        ),
        (
            {"keepAlive": math.nan},
            "`phial.keepAlive` must be a number from 0 to 100,000, not nan; the default is used.",
        ),
        (
            {"keepAlive": math.inf},
            "`phial.keepAlive` must be a number from 0 to 100,000, not inf; the default is used.",
        ),
        (
            {"completion": {"enable": "yes"}},
            "`phial.completion.enable` must be true or false, not 'yes'; the default is used.",
        ),
        (
            {"completion": {"enable": 1}},
            "`phial.completion.enable` must be true or false, not 1; the default is used.",
        ),
        (
            {"completion": {"onBattery": "off"}},
            "`phial.completion.onBattery` must be 'on' or 'manual', not 'off'; the default is used.",
        ),
        (
            {"completion": {"maxTokens": 9.5}},
            "`phial.completion.maxTokens` must be a whole number, not 9.5; the default is used.",
        ),
        (
            {"chat": {"maxTokens": True}},
            "`phial.chat.maxTokens` must be a whole number, not True; the default is used.",
        ),
        (
            {"completion": {"maxTokens": 0}},
            "`phial.completion.maxTokens` must be a number from 1 to 2,048, not 0; the default is used.",
        ),
        (
            {"chat": {"temperature": 2.5}},
            "`phial.chat.temperature` must be a number from 0 to 2, not 2.5; the default is used.",
        ),
        (
            {"completion": {"disabledLanguages": "markdown"}},
            (
                "`phial.completion.disabledLanguages` must be a list of strings, not 'markdown';"
                " the default is used."
            ),
        ),
        (
            {"completion": {"disabledLanguages": ["markdown", 1]}},
            (
                "`phial.completion.disabledLanguages` must be a list of strings, not ['markdown', 1];"
                " the default is used."
            ),
        ),
        ({"keep_alive": 1}, "`phial.keep_alive` is not a setting of Phial; it is ignored."),
        ({"chat": {"maxLines": 1}}, "`phial.chat.maxLines` is not a setting of Phial; it is ignored."),
        ({7: 1}, "`phial.7` is not a setting of Phial; it is ignored."),
        (
            {"model": ["x" * 99]},
            f"`phial.model` must be a string, not ['{'x' * 35}...; the default is used.",
        ),
    ],
)
def test_what_is_wrong_keeps_its_default_and_is_named(raw: object, problem: str) -> None:
    assert parse(raw) == (DEFAULTS, [problem])


def test_one_mistake_does_not_cost_the_other_settings() -> None:
    parsed, problems = parse({"model": 1, "device": "GPU", "chat": {"maxTokens": "x", "temperature": 0.5}})
    assert parsed == Settings(device="GPU", chat=ChatSettings(temperature=0.5))
    assert [problem.split(" ")[0] for problem in problems] == ["`phial.model`", "`phial.chat.maxTokens`"]


def test_a_key_does_not_show() -> None:
    parsed, _ = parse({"engine": {"key": "secret"}})
    assert asdict(parsed)["engine"]["key"] == "secret"
    assert "secret" not in repr(parsed)
