"""Use case: what to show at a cursor, and when: everything between a keystroke and ghost text but the model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import anyio

from phial.assist import ahead, prompts
from phial.assist.completion import Completion, alternatives, begun, is_likely, is_line_done, read
from phial.assist.counters import Answer, Counters
from phial.assist.draft import Draft
from phial.assist.excerpt import Excerpt
from phial.assist.rejections import Rejections
from phial.assist.reuse import Drafts, Place, Writing
from phial.assist.rhythm import Rhythm
from phial.assist.skip import Trigger, reason_to_skip
from phial.assist.speed import Limits, Speed
from phial.assist.trim import Insertion
from phial.assist.visits import Visits
from phial.engine.base import Engine
from phial.settings import CompletionSettings

_REST = 0.3
"""Seconds after which a cursor that has only moved has come to rest."""


@dataclass(frozen=True)
class Cursor:
    """Where the user is. Documents are told apart by any name that stays; `size` is in characters.

    `selected`: the excerpt ends in what the editor's own list of completions has selected, which nobody has
    typed. `on_battery`: nothing is to be computed that nobody has asked for.
    """

    document: str
    excerpt: Excerpt
    size: int = 0
    selected: bool = False
    on_battery: bool = False

    @cached_property
    def place(self) -> Place:
        """What stays while the user types on here."""
        return Place.of(self.document, self.excerpt)


class Suggestions:
    """What one window is shown. While `run` does not run, nothing is written for anybody who has not asked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.counters = Counters()
        self.speed = Speed()
        self._clock = clock
        self._drafts = Drafts(clock, self.speed)
        self._rejections = Rejections()
        self._rhythm = Rhythm()
        self._visits = Visits()
        self._turn = 0

    async def run(self) -> None:
        """Have completions written until cancelled."""
        await self._drafts.run()

    async def at(
        self, cursor: Cursor, engine: Engine, wanted: CompletionSettings, trigger: Trigger
    ) -> list[Insertion]:
        """Return what to show at a cursor, the best first. Raises `PhialError`.

        Unasked, one thing that is good enough, once the user pauses; when asked, some to choose from.
        """
        with self.counters.request() as answer:
            return await self._found(cursor, engine, wanted, trigger, answer)

    async def _found(
        self,
        cursor: Cursor,
        engine: Engine,
        wanted: CompletionSettings,
        trigger: Trigger,
        answer: Answer,
    ) -> list[Insertion]:
        self._turn += 1
        excerpt = cursor.excerpt
        if reason_to_skip(excerpt, excerpt.path, trigger):
            self._drafts.drop()
            return []
        if not cursor.selected:
            self._rejections.look(cursor.document, excerpt)
        limits = self.speed.limits(wanted, engine.status.tokens_per_second)
        found = await (
            self._unasked(cursor, engine, wanted, limits, answer)
            if trigger == "automatic"
            else self._asked(cursor, engine, wanted, limits, answer)
        )
        if found and not cursor.selected:
            self._rejections.show(cursor.document, excerpt, *(insertion.text for insertion in found))
        return found

    def typed(self, document: str) -> None:
        """Take note of a keystroke in a document."""
        self._rhythm.keystroke(self._clock())
        self._visits.edited(document)

    def opened(self, document: str) -> None:
        """Take note of a document that is new here."""
        self._visits.edited(document)

    def prefill(self, cursor: Cursor, engine: Engine, wanted: CompletionSettings) -> None:
        """Have the model read a document where the cursor was last, or else at this one, if it has nothing to do."""
        last = self._visits.last(cursor.document)
        self._prefill(replace(cursor, excerpt=last) if last else cursor, engine, wanted)

    def make_way(self) -> None:
        """Leave the model to somebody who has asked for something else, unless an answer is waited for."""
        self._drafts.drop_unasked()

    def forget(self) -> None:
        """Begin anew: another model writes from now on."""
        self._drafts.forget()

    async def _unasked(
        self, cursor: Cursor, engine: Engine, wanted: CompletionSettings, limits: Limits, answer: Answer
    ) -> list[Insertion]:
        draft = await self._draft_for(cursor, engine, wanted, limits, answer)
        if draft is None:
            return []
        found = read(draft, cursor.excerpt, max_lines=limits.lines)
        if found and self._is_worth_showing(found, cursor, wanted, starter=engine.status.starter):
            self._follow(cursor, found.insertion, engine, wanted, limits)
            return [found.insertion]
        if is_line_done(draft, cursor.excerpt):
            self._follow(cursor, Insertion(""), engine, wanted, limits)
        return []

    def _is_worth_showing(
        self, found: Completion, cursor: Cursor, wanted: CompletionSettings, *, starter: bool
    ) -> bool:
        text = found.insertion.text
        if self._rejections.goes_on(cursor.document, cursor.excerpt, text):
            return True  # to hide it while it is being typed would be to take it away
        thresholds = asdict(wanted.threshold)
        if not is_likely(found, cursor.excerpt, thresholds, starter=starter):
            return False
        return not self._rejections.is_unwanted(cursor.excerpt, text)

    async def _draft_for(
        self, cursor: Cursor, engine: Engine, wanted: CompletionSettings, limits: Limits, answer: Answer
    ) -> Draft | None:
        """Return what the model has written for a cursor, or writes now, or writes once the user pauses.

        Whoever asks next takes the place of who waits: the model writes one thing at a time.
        """
        turn, excerpt, place = self._turn, cursor.excerpt, cursor.place
        has_only_moved = not cursor.selected and self._visits.visit(cursor.document, excerpt)
        if draft := self._drafts.known(place, excerpt, max_lines=limits.lines):
            answer.how = "typed-through"
            return draft
        writing = self._drafts.join(place, excerpt)
        if writing and await writing.until_known(excerpt):
            answer.how = "joined"
            return writing.draft
        if turn != self._turn:
            return None
        self._drafts.drop()
        if has_only_moved:
            self._prefill(cursor, engine, wanted, delay=_REST)
        if has_only_moved or not _may_write(cursor, wanted):
            return None
        await anyio.sleep(self._rhythm.pause(excerpt, self.speed.latency, wanted.debounce))
        if turn != self._turn:
            return None
        answer.how = "asked"
        return await self._new_draft_for(cursor, engine, limits)

    async def _new_draft_for(self, cursor: Cursor, engine: Engine, limits: Limits) -> Draft | None:
        prompt = prompts.completion(cursor.excerpt, engine.abilities, max_tokens=limits.longest)
        writing = Writing(cursor.place, begun(cursor.excerpt, prompt), cursor.excerpt, limits)
        self._drafts.begin(writing, engine, prompt.request)
        return writing.draft if await writing.until_known(cursor.excerpt) else None

    async def _asked(
        self, cursor: Cursor, engine: Engine, wanted: CompletionSettings, limits: Limits, answer: Answer
    ) -> list[Insertion]:
        self._drafts.drop()
        answer.how = "asked"
        found = await alternatives(
            engine, cursor.excerpt, max_tokens=wanted.max_tokens, max_lines=wanted.max_lines
        )
        for completion in reversed(found):  # what is kept last is found first
            self._drafts.keep(cursor.place, completion.draft)
        if found:
            self._follow(cursor, found[0].insertion, engine, wanted, limits)
        return [completion.insertion for completion in found]

    def _follow(
        self, cursor: Cursor, shown: Insertion, engine: Engine, wanted: CompletionSettings, limits: Limits
    ) -> None:
        """Have written what comes once the user has taken what is shown."""
        if _may_write(cursor, wanted) and not cursor.on_battery:
            after = ahead.accepted(cursor.excerpt, shown)
            ahead.follow(self._drafts, cursor.document, after, engine, limits)

    def _prefill(
        self, cursor: Cursor, engine: Engine, wanted: CompletionSettings, *, delay: float = 0.0
    ) -> None:
        excerpt = cursor.excerpt
        unwanted = cursor.on_battery or reason_to_skip(excerpt, excerpt.path, "automatic")
        if _may_write(cursor, wanted) and not unwanted:
            ahead.prefill(self._drafts, cursor.document, excerpt, engine, delay=delay)


def _may_write(cursor: Cursor, wanted: CompletionSettings) -> bool:
    """Return whether anything may be written for a cursor that nobody has asked for."""
    is_manual = wanted.trigger == "manual" or (cursor.on_battery and wanted.on_battery == "manual")
    return not is_manual and cursor.size <= wanted.max_file_size
