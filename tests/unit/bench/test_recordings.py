from __future__ import annotations

import json
from pathlib import Path

import pytest

from phial.bench import recordings
from phial.bench.recordings import LONG_FILE, Accept, Erase, Move, Press, Type
from phial.bench.typist import Typist
from phial.lsp.languages import language_of

each_recording = pytest.mark.parametrize("name", recordings.names())


def parsed(*lines: object, text: str = "") -> tuple[Press, ...]:
    head = {"path": "a.py", "lines": text.split("\n")}
    return recordings.parse("made", "\n".join(json.dumps(line) for line in (head, *lines))).presses


def test_each_character_is_a_key_and_a_line_end_brings_its_indentation() -> None:
    assert parsed({"type": "a:\n    b", "after": [100, 90, 200, 80]}) == (
        Press(Type("a"), 0.1),
        Press(Type(":"), 0.09),
        Press(Type("\n    "), 0.2),
        Press(Type("b"), 0.08),
    )


def test_other_keys_are_told_by_what_they_do() -> None:
    assert parsed(
        {"erase": 2, "after": [300, 100]},
        {"move": [[1, 2]], "after": [900]},
        {"accept": True, "after": [500]},
    ) == (Press(Erase(), 0.3), Press(Erase(), 0.1), Press(Move(1, 2), 0.9), Press(Accept(), 0.5))


def test_a_key_without_its_time_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="argument"):
        parsed({"type": "ab", "after": [100]})


@each_recording
def test_a_recording_has_keys_of_every_sort(name: str) -> None:
    recording = recordings.load(name)
    kinds = {type(press.key) for press in recording.presses}
    assert kinds == {Type, Erase, Move, Accept}
    assert min(press.after for press in recording.presses) >= 0.03
    assert max(press.after for press in recording.presses) > 0.6, "somebody thinks"


def test_there_are_several_languages() -> None:
    languages = {language_of(Path(recordings.load(name).path)) for name in recordings.names()}
    assert languages == {"python", "typescript", "go", "c"}


def test_one_is_twenty_lines_in_a_file_of_six_hundred() -> None:
    recording = recordings.load(LONG_FILE)
    typist = Typist(recording)
    for press in typist.presses():
        typist.press(press.key, None)
    before, after = len(recording.text.splitlines()), len(typist.text.splitlines())
    assert (before >= 580, after - before) == (True, 20)
