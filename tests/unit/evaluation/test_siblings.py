"""What a model is shown of the files beside a hole's, and that it is never the answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evaluation import siblings
from evaluation.holes import Hole, one_line
from evaluation.siblings import snippets
from evaluation.sources import Language, Source
from phial.assist.excerpt import Excerpt, excerpt_around
from unit.evaluation.made import PYTHON, holes, package

ALIKE = """def tally(words, least=1):
    counts = Counter(words)
    for word in words:
        seen = counts.get(word, 0)
        counts[word] = seen + least
    return [word for word, number in counts.most_common() if number >= least]
"""


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def found(language: Language) -> Iterator[Source]:
        yield Source(package(), "made/words.py", PYTHON)
        yield Source(package(), "made/alike.py", ALIKE)

    monkeypatch.setattr(siblings, "sources", found)
    siblings._files.cache_clear()
    yield
    siblings._files.cache_clear()


def excerpt_of(hole: Hole) -> Excerpt:
    return excerpt_around(hole.prefix, hole.suffix, path="made/words.py", language="python")


def test_what_is_alike_is_shown_but_for_what_holds_the_answer() -> None:
    shown = {hole.truth: snippets(hole, excerpt_of(hole)) for hole in holes("line")}
    assert any(snippet.path == "made/alike.py" for found in shown.values() for snippet in found)
    for answer, found in shown.items():
        assert not any(one_line(answer) in one_line(snippet.code) for snippet in found)
