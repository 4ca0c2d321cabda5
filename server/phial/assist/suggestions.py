"""Use case: what to show at a cursor, and when: everything between a keystroke and ghost text but the model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import anyio

from phial.assist.completion import alternatives, complete, is_sure
from phial.assist.counters import Answer, Counters
from phial.assist.excerpt import Excerpt
from phial.assist.rejections import Rejections
from phial.assist.skip import Trigger, reason_to_skip
from phial.assist.trim import Insertion
from phial.engine.base import Engine
from phial.settings import CompletionSettings


@dataclass
class Suggestions:
    """What one window is shown. Documents are told apart by any name that stays."""

    counters: Counters = field(default_factory=Counters)
    _rejections: Rejections = field(default_factory=Rejections)

    async def at(
        self, document: str, excerpt: Excerpt, engine: Engine, wanted: CompletionSettings, trigger: Trigger
    ) -> list[Insertion]:
        """Return what to show at a cursor, the best first. Raises `PhialError`.

        Unasked, one thing that is good enough, once the user pauses; when asked, some to choose from.
        """
        with self.counters.request() as answer:
            if reason_to_skip(excerpt, excerpt.path, trigger):
                return []
            self._rejections.look(document, excerpt)
            found = await (
                self._unasked(excerpt, engine, wanted, answer)
                if trigger == "automatic"
                else _asked(excerpt, engine, wanted, answer)
            )
            if found:
                self._rejections.show(document, excerpt, found[0].text)
            return found

    async def _unasked(
        self, excerpt: Excerpt, engine: Engine, wanted: CompletionSettings, answer: Answer
    ) -> list[Insertion]:
        await anyio.sleep(wanted.debounce)
        answer.how = "asked"
        found = await complete(engine, excerpt, max_tokens=wanted.max_tokens, max_lines=wanted.max_lines)
        if found is None or not is_sure(found, excerpt, asdict(wanted.threshold)):
            return []
        return [] if self._rejections.is_unwanted(excerpt, found.insertion.text) else [found.insertion]


async def _asked(
    excerpt: Excerpt, engine: Engine, wanted: CompletionSettings, answer: Answer
) -> list[Insertion]:
    answer.how = "asked"
    found = await alternatives(engine, excerpt, max_tokens=wanted.max_tokens, max_lines=wanted.max_lines)
    return [completion.insertion for completion in found]
