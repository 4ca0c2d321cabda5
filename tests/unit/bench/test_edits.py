from __future__ import annotations

import pytest

from phial.bench.edits import EDITS, Edit
from phial.host.schema import ChatCompletions


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.wish)
def test_an_answer_is_begun_for_the_model_to_go_on_with(edit: Edit) -> None:
    body = ChatCompletions.model_validate(edit.asked())
    question, begun = (message.plain()["content"] for message in body.messages)
    assert edit.code in question
    assert begun.removeprefix("```\n") in edit.wanted
    assert not body.opens_turn()


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.wish)
def test_the_change_shows_in_what_is_begun_and_most_of_the_code_stays(edit: Edit) -> None:
    lines, wanted = edit.code.splitlines(), edit.wanted.splitlines()
    assert len(lines) == len(wanted)
    same = [one == other for one, other in zip(lines, wanted, strict=True)]
    assert sum(same) >= len(same) / 2
    begun = edit.asked()["messages"][1]["content"].removeprefix("```\n")
    assert not edit.code.startswith(begun)
