from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.bench import recordings
from phial.bench.recordings import Accept, Erase, Key, Move, Press, Recording, Type
from phial.bench.typist import Edit, Stroke, Typist

TEXT = "one\ntwo\n"


def typist(*keys: Key, text: str = TEXT) -> Typist:
    return Typist(Recording("made", "a.py", text, tuple(Press(key, 0.1) for key in keys)))


def typed(text: str) -> list[Key]:
    return [Type(character) for character in text]


def finished(subject: Typist, ghost: str | None = None) -> list[Stroke]:
    return [subject.press(press.key, ghost) for press in subject.presses()]


def test_typing_inserts_at_the_cursor_and_asks() -> None:
    subject = typist(Move(1, 1), *typed("xy"))
    moved, first, second = finished(subject)
    assert moved == Stroke(Move(1, 1))
    assert first == Stroke(Type("x"), (Edit((1, 1), (1, 1), "x"),), asks=True)
    assert second.edits == (Edit((1, 2), (1, 2), "y"),)
    assert (subject.text, subject.place) == ("one\ntxywo\n", (1, 3))


def test_a_line_end_moves_the_cursor_to_the_next_line() -> None:
    subject = typist(Move(0, 3), Type("\n    "), Type("x"))
    finished(subject)
    assert (subject.text, subject.place) == ("one\n    x\ntwo\n", (1, 5))


def test_erasing_takes_what_stands_left_of_the_cursor() -> None:
    subject = typist(Move(1, 0), Erase())
    _, erased = finished(subject)
    assert erased == Stroke(Erase(), (Edit((0, 3), (1, 0), ""),), asks=True)
    assert (subject.text, subject.place) == ("onetwo\n", (0, 3))


def test_nothing_is_accepted_where_nothing_is_shown() -> None:
    subject = typist(Accept())
    assert finished(subject) == [Stroke(Accept())]
    assert subject.text == TEXT


def test_what_was_accepted_and_is_right_is_not_typed_any_more() -> None:
    subject = typist(Accept(), *typed("abc"), text="")
    [accepted] = finished(subject, ghost="abc")
    assert accepted == Stroke(Accept(), (Edit((0, 0), (0, 0), "abc"),), asks=True)
    assert (subject.text, subject.accepted) == ("abc", 3)


def test_what_was_accepted_and_is_wrong_is_removed_by_the_next_key() -> None:
    subject = typist(Accept(), *typed("abc"), text="")
    _, last = finished(subject, ghost="abXY")
    assert last.edits == (Edit((0, 2), (0, 4), ""), Edit((0, 2), (0, 2), "c"))
    assert (subject.text, subject.accepted) == ("abc", 2)


def test_a_ghost_text_that_takes_the_place_of_a_bracket_adds_the_rest() -> None:
    subject = typist(text=")x")
    assert subject.insertable("a)", 1) == "a"
    assert subject.insertable("a]", 1) is None
    assert subject.insertable("a", 0) == "a"


def applied(text: str, edit: Edit) -> str:
    """Change a text as a server does: by lines and columns."""
    lines = text.split("\n")
    start, end = (
        sum(len(line) + 1 for line in lines[:number]) + column for number, column in (edit.start, edit.end)
    )
    return text[:start] + edit.text + text[end:]


@pytest.mark.parametrize("name", recordings.names())
@given(data=st.data())
def test_a_recording_ends_the_same_whatever_is_accepted_and_its_edits_tell_all(
    name: str, data: st.DataObject
) -> None:
    recording = recordings.load(name)
    plain = Typist(recording)
    finished(plain)
    ghosts = data.draw(
        st.lists(st.sampled_from([None, "x", "return ", "\n    x", "self._", ")\n"]), min_size=1)
    )
    subject, text = Typist(recording), recording.text
    for number, press in enumerate(subject.presses()):
        for edit in subject.press(press.key, ghosts[number % len(ghosts)]).edits:
            text = applied(text, edit)
        assert text == subject.text
    assert subject.text == plain.text
