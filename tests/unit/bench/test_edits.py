from __future__ import annotations

import re

import pytest

from phial.bench.edits import EDITS, Edit, literal
from phial.host.schema import ChatCompletions


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.wish)
def test_the_answer_is_held_to_the_wanted_code(edit: Edit) -> None:
    body = ChatCompletions.model_validate({"messages": edit.messages(), **edit.held()})
    assert body.structured_outputs.regex
    assert re.fullmatch(body.structured_outputs.regex, edit.wanted)
    assert not re.fullmatch(body.structured_outputs.regex, edit.code)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.wish)
def test_an_edit_changes_something_and_leaves_most(edit: Edit) -> None:
    changed = [line for line in edit.wanted.splitlines() if line not in edit.code.splitlines()]
    assert 0 < len(changed) <= len(edit.wanted.splitlines()) / 2


def test_characters_with_a_meaning_stand_for_themselves() -> None:
    text = r"a.b\[c](d){e}*+?|^$-#" + "\n\t é"
    assert re.fullmatch(literal(text), text)
