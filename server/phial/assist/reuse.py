"""What one window has had computed, and has computed now: nothing twice, and no more than one thing at a time."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import anyio

from phial.assist.completion import is_enough, is_known
from phial.assist.draft import Draft
from phial.assist.excerpt import Excerpt
from phial.assist.speed import Limits, Speed
from phial.engine.base import Engine, Infill, Request

_MOST_DRAFTS = 100
_MOST_CHARS = 600_000
"""Of all drafts together: a few megabytes at most, whatever is typed in a day."""

_NEXT_LINE = re.compile(r"[ \t]*\n\s*(?=\S)")


class Place(NamedTuple):
    """Where a text is written for, but for what is being typed there. Documents go by any name that stays."""

    document: str
    language: str
    below: str

    @classmethod
    def of(cls, document: str, excerpt: Excerpt) -> Place:
        """Return the place of an excerpt."""
        return cls(document, excerpt.language, excerpt.below)


_Key = tuple[Place, str, str, int | None]

Kind = Literal["asked", "ahead", "prefill"]
"""Whether somebody waits for it, it follows what is being shown, or a prompt is only read."""


@dataclass
class Times:
    """When, by the clock, a writing began, had its first piece, and had its first line."""

    began: float = 0.0
    first: float | None = None
    line: float | None = None


@dataclass(eq=False)
class Writing:
    """A draft that is being written, for whichever excerpt was asked for last.

    One that is written ahead goes on through the next line where this one is complete: that is what is wanted
    once the user presses Enter.
    """

    place: Place
    draft: Draft
    excerpt: Excerpt
    limits: Limits
    kind: Kind = "asked"
    delay: float = 0.0
    error: Exception | None = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    times: Times = field(default_factory=Times)
    _changed: anyio.Event = field(default_factory=anyio.Event)

    async def until_known(self, excerpt: Excerpt) -> bool:
        """Wait until the draft tells what to show at an excerpt; return whether it does. Raises its error."""
        while self.draft.end is None and self.error is None and not self._is_known(excerpt):
            await self._changed.wait()
        if self.error:
            raise self.error
        return self._is_known(excerpt)

    def is_over(self, since: int, now: float) -> bool:
        """Return whether the model may be left; `since`: how much of the text has been looked at before."""
        excerpt = self._excerpt_beyond() if self.kind == "ahead" else self.excerpt
        if excerpt is None:
            return False
        if is_enough(self.draft, excerpt, max_lines=self.limits.lines, since=since):
            return True
        is_late = now >= self.times.began + self.limits.seconds or self.draft.tokens >= self.limits.tokens
        if is_late and "\n" in self._rest(excerpt).lstrip():
            self.draft.end = "length"
        return self.draft.end is not None

    def note(self, now: float) -> None:
        """Take note of when the first piece and the first line came."""
        self.times.first = now if self.times.first is None else self.times.first
        if self.times.line is None and "\n" in self._rest(self.excerpt).lstrip():
            self.times.line = now

    def tell(self) -> None:
        """Tell who waits that there is more of the draft, or an end."""
        self._changed.set()
        self._changed = anyio.Event()

    def _is_known(self, excerpt: Excerpt) -> bool:
        return is_known(self.draft, excerpt, max_lines=self.limits.lines)

    def _rest(self, excerpt: Excerpt) -> str:
        typed = self.draft.typed_at(excerpt)
        return "" if typed is None else self.draft.text[len(typed) :]

    def _excerpt_beyond(self) -> Excerpt | None:
        """Return the excerpt on the next line where this one is complete, or None where that is not yet clear."""
        rest = self._rest(self.excerpt)
        found = _NEXT_LINE.match(rest)
        if found:
            return replace(self.excerpt, prefix=self.excerpt.prefix + found.group())
        return None if rest and not rest.strip() else self.excerpt


class Drafts:
    """The drafts of one window, the newest last, and the one that is being written."""

    def __init__(self, clock: Callable[[], float], speed: Speed) -> None:
        self._clock = clock
        self._speed = speed
        self._kept: OrderedDict[_Key, Draft] = OrderedDict()
        self._size = 0
        self._read: tuple[Place, str] | None = None
        self._writing: Writing | None = None
        self._orders: list[tuple[Writing, Engine, Request | Infill]] = []
        self._ordered = anyio.Event()

    async def run(self) -> None:
        """Have drafts written until cancelled: one outlives the request that asked for it."""
        async with anyio.create_task_group() as tasks:
            while True:
                while not self._orders:
                    await self._ordered.wait()
                tasks.start_soon(self._write, *self._orders.pop(0))

    @property
    def size(self) -> int:
        """How many characters are kept."""
        return self._size

    def known(self, place: Place, excerpt: Excerpt, *, max_lines: int) -> Draft | None:
        """Return the newest draft that tells what to show at an excerpt, without any waiting."""
        for key, draft in reversed(self._kept.items()):
            if key[0] == place and is_known(draft, excerpt, max_lines=max_lines):
                self._kept.move_to_end(key)
                return draft
        return None

    def is_written_beyond(self, place: Place, draft: Draft) -> bool:
        """Return whether what a draft is to hold has been written ahead already."""
        kept = self._kept.get(_key(place, draft))
        return kept is not None and kept.goes_beyond

    def was_read_last(self, place: Place, draft: Draft) -> bool:
        """Return whether the model has its prompt at hand."""
        return self._read == (place, draft.prefix)

    def join(self, place: Place, excerpt: Excerpt) -> Writing | None:
        """Return what is being written, where it agrees with an excerpt; from then on it is for that."""
        writing = self._writing
        if writing is None or writing.kind == "prefill" or writing.place != place:
            return None
        if writing.draft.typed_at(excerpt) is None:
            return None
        writing.excerpt = excerpt
        if writing.draft.end is None and writing.is_over(0, self._clock()):
            writing.scope.cancel()
        return writing

    def begin(self, writing: Writing, engine: Engine, request: Request | Infill) -> None:
        """Have a draft written; what is being written is dropped for it."""
        self.drop()
        self._writing = writing
        self._read = writing.place, writing.draft.prefix
        self._orders.append((writing, engine, request))
        self._ordered.set()
        self._ordered = anyio.Event()

    def drop(self) -> None:
        """Leave the model at once, if anything is being written."""
        if self._writing:
            self._writing.scope.cancel()
            self._writing = self._read = None

    def drop_unasked(self) -> None:
        """Leave the model at once, if nobody has asked for what is being written."""
        if self._writing and self._writing.kind != "asked":
            self.drop()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being written."""
        return self._writing is None

    def keep(self, place: Place, draft: Draft) -> None:
        """Keep a draft that has been written, and forget those that were used longest ago."""
        if draft.text == "" and draft.end == "left":
            return
        key = _key(place, draft)
        self._forget(key)
        self._kept[key] = draft
        self._size += draft.size + len(place.below)
        while len(self._kept) > _MOST_DRAFTS or self._size > _MOST_CHARS:
            self._forget(next(iter(self._kept)))

    def forget(self) -> None:
        """Forget everything: another model writes from now on."""
        self.drop()
        self._kept.clear()
        self._size, self._read = 0, None

    def _forget(self, key: _Key) -> None:
        draft = self._kept.pop(key, None)
        if draft:
            self._size -= draft.size + len(key[0].below)

    async def _write(self, writing: Writing, engine: Engine, request: Request | Infill) -> None:
        draft = writing.draft
        with writing.scope:
            try:
                await anyio.sleep(writing.delay)
                await self._stream(writing, engine, request)
            except Exception as error:  # noqa: BLE001 - it reaches whoever waits for the draft
                writing.error = error
        draft.end = draft.end or "left"
        was_dropped = self._writing is not writing
        if not was_dropped:
            self._writing = None
        if not was_dropped and writing.error is None and writing.kind != "prefill":
            draft.goes_beyond = writing.kind == "ahead"
            self.keep(writing.place, draft)
        writing.tell()

    async def _stream(self, writing: Writing, engine: Engine, request: Request | Infill) -> None:
        draft, times = writing.draft, writing.times
        times.began = self._clock()
        async with engine.stream(request) as chunks:
            async for chunk in chunks:
                since = len(draft.text)
                draft.take(chunk)
                writing.note(self._clock())
                if draft.end is None and writing.is_over(since, self._clock()):
                    break
                if "\n" in chunk.text:
                    writing.tell()
        if writing.kind == "asked" and times.first is not None:
            ended = self._clock()
            self._speed.measured(times.first - times.began, draft.tokens, ended - times.first)
            self._speed.line_took((times.line or ended) - times.began, writing.limits.seconds)


def _key(place: Place, draft: Draft) -> _Key:
    return place, draft.prefix, draft.fragment, draft.seed
