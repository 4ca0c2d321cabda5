"""What the language server is told about a hole, and that it is told no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from evaluation.askers import complete
from evaluation.holes import Shown
from phial.errors import EngineError
from support.editors import Editor, Json
from unit.evaluation.made import holes


class Window(Editor):
    """An editor whose server is not there: keeps what it is told, and answers what it should."""

    def __init__(self, answer: Json | None, state: str = "ready") -> None:
        super().__init__(cast("Any", None), Path())
        self.answer = answer
        self.sent: list[Json] = []
        self.heard.append({"method": "phial/status", "params": {"state": state, "message": "so it is"}})

    def send(self, message: Any) -> None:
        self.sent.append(message)

    async def result(self, number: int) -> Any:
        return self.answer


async def test_one_document_is_open_at_a_time_and_holds_no_answer() -> None:
    hole = next(found for found in holes("line") if found.truth.startswith("seen ="))
    window = Window({"items": [{"insertText": "seen = 0"}]})
    assert await complete(window, hole) == Shown("seen = 0")
    opened, asked, closed = window.sent
    assert opened["method"] == "textDocument/didOpen"
    text = opened["params"]["textDocument"]["text"]
    assert hole.truth not in text
    position = asked["params"]["position"]
    assert text.split("\n")[position["line"]][: position["character"]] == " " * 8
    assert closed["method"] == "textDocument/didClose"
    assert len({message["params"]["textDocument"]["uri"] for message in window.sent}) == 1


async def test_nothing_to_show() -> None:
    assert await complete(Window(None), holes("line")[0]) is None
    assert await complete(Window({"items": []}), holes("line")[0]) is None


async def test_a_model_that_has_gone_is_not_one_with_nothing_to_show() -> None:
    with pytest.raises(EngineError, match="so it is"):
        await complete(Window(None, state="failed"), holes("line")[0])
