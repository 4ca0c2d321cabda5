"""Text with a `$0` where the cursor is."""

from __future__ import annotations

from phial.assist.excerpt import Excerpt


def excerpt_at(text: str, *, language: str = "python", path: str = "") -> Excerpt:
    prefix, cursor, suffix = text.partition("$0")
    assert cursor, "the text has no $0"
    assert "$0" not in suffix, "the text has two cursors"
    return Excerpt(prefix, suffix, path, language)


def inserted_at(text: str, insertion: str | None, replaces: int = 0) -> str:
    """Put what is inserted before the cursor and in place of what is behind it, as an editor does."""
    prefix, _, suffix = text.partition("$0")
    return f"{prefix}{insertion or ''}$0{suffix[replaces:]}"
