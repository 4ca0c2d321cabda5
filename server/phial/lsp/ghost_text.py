"""Ghost text for one window: from LSP's requests and notifications to suggestions, and back."""

from __future__ import annotations

from dataclasses import replace

from lsprotocol import types

from phial.assist.context import Regions
from phial.assist.suggestions import Cursor, Suggestions
from phial.engine.base import Engine
from phial.lsp.battery import Battery
from phial.lsp.documents import Document
from phial.lsp.gaps import Gap, gap_at, gap_at_end
from phial.lsp.neighbours import Neighbours, opened
from phial.settings import CompletionSettings

_TOO_SLOW = (
    "Phial: this model takes too long for ghost text as you type. Set `phial.completion.trigger` to `manual`, so"
    " that it is only asked when you want it, or choose a smaller model."
)


class GhostText:
    """What the window is shown, and where the machine's power comes from. Its `suggestions` must run."""

    def __init__(self) -> None:
        self.suggestions = Suggestions()
        self._regions = Regions()
        self._battery = Battery()
        self._has_advised = False

    async def at(
        self,
        document: Document,
        params: types.InlineCompletionParams,
        *,
        around: Neighbours,
        engine: Engine,
        wanted: CompletionSettings,
    ) -> types.InlineCompletionList | None:
        """Return ghost text for a position, or None: while the model loads, too. Raises `PhialError`."""
        if not _is_wanted(document, engine, wanted):
            return None
        is_automatic = params.context.trigger_kind == types.InlineCompletionTriggerKind.Automatic
        gap = gap_at(document, params)
        cursor = self._cursor(gap, around)
        found = await self.suggestions.at(cursor, engine, wanted, "automatic" if is_automatic else "invoked")
        items = [item for insertion in found if (item := gap.item(insertion))]
        return types.InlineCompletionList(items) if items else None

    def prefill(
        self, document: Document, *, around: Neighbours, engine: Engine, wanted: CompletionSettings
    ) -> None:
        """Have the model read a document while nothing else is to be done."""
        if _is_wanted(document, engine, wanted):
            self.suggestions.prefill(self._cursor(gap_at_end(document), around), engine, wanted)

    def advice(self) -> str | None:
        """Return, once, what may be done where the model is too slow for ghost text."""
        if self._has_advised or not self.suggestions.speed.is_too_slow:
            return None
        self._has_advised = True
        return _TOO_SLOW

    def _cursor(self, gap: Gap, around: Neighbours) -> Cursor:
        excerpt = gap.excerpt(around.path)
        if around.others is not None:
            here, (line, _) = opened(gap.document, around.path), gap.start
            excerpt = replace(excerpt, related=self._regions.related(excerpt, line, here, around.others))
        return Cursor(
            gap.document.uri,
            excerpt,
            size=gap.document.size,
            selected=gap.selected != "",
            on_battery=self._battery.is_used(),
        )


def _is_wanted(document: Document, engine: Engine, wanted: CompletionSettings) -> bool:
    is_on = wanted.enable and document.language_id not in wanted.disabled_languages
    return is_on and engine.status.state == "ready"
