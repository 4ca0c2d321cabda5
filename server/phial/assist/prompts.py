"""From an excerpt or a question to a request. What changes least stands first, so that the cache holds it.

A completion is asked for by letting a chat model go on with an answer that already holds the whole
prefix: asked to "complete this code" instead, it talks about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from phial.assist.excerpt import Excerpt, Snippet
from phial.assist.languages import commented
from phial.assist.syntax import is_at_depth
from phial.engine.base import COMPLETION_PRIORITY, Abilities, Infill, Message, Request, Sampling

_COMPLETION_SYSTEM = (
    "You write source code. You answer with one code block that holds the beginning of the file the user is"
    " working on, as far as it goes, and you write on exactly where it stops."
)

_CHAT_SYSTEM = (
    "You are Phial, a programming assistant that runs on the user's own machine. Answer briefly and to the point."
    " Put code into fenced blocks with the language's name. If you are not sure, say so."
)

_TASKS = {
    "ask": "{question}",
    "explain": "Explain what this code does, step by step, for a developer who has not seen it before."
    " {question}",
    "fix": "Find what is wrong in this code and give the corrected code. {question}",
    "document": "Write the documentation comment for this code, in the style of its language. {question}",
    "test": "Write unit tests for this code. {question}",
}

_WORD = re.compile(r"(?:[ \t]*\w+|[ \t]+)\Z")

_SIGNS = r"[!-/:-@\[-^{-~]"
_TOKEN = re.compile(rf"(?:(?:[ \t]*|{_SIGNS})\w+|[ \t]*{_SIGNS}{{1,8}}|[ \t]+)\Z")
"""The longest that may be the beginning of one token: a word goes with the sign before it, `.name`, and `(` with `)`."""

_LONGEST_TOKEN = 64
"""Characters to look for it in: an expression that ends at the end tries each of them."""

_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")


@dataclass(frozen=True)
class CompletionPrompt:
    """A request whose answer must begin with `fragment`: the end of the prefix, cut back to heal the word.

    A prompt that ends inside a word, in blanks or behind a sign splits them into tokens that the model never saw
    so; it writes them anew, and the engine holds it to the same characters.
    """

    request: Request | Infill
    fragment: str


@dataclass(frozen=True)
class Question:
    """What a user wants to know, with the code it is about and the conversation so far."""

    text: str = ""
    task: str = "ask"
    snippets: tuple[Snippet, ...] = ()
    conversation: tuple[Message, ...] = ()


def completion(excerpt: Excerpt, abilities: Abilities, *, max_tokens: int) -> CompletionPrompt:
    """Ask for the text at the cursor: of a chat model by its turn, of another that can by filling the gap.

    A model that can do both is right more often as a chat model, and reads less for each key: where a gap is
    filled, what stands below comes last. Where the engine cannot hold its answer to the fragment, most go through
    it all the same if it is a word.
    """
    found = (_TOKEN if abilities.regex else _WORD).search(excerpt.line_before[-_LONGEST_TOKEN:])
    fragment = found.group() if found else ""
    prefix = excerpt.prefix[: len(excerpt.prefix) - len(fragment)]
    begun = _path_line(excerpt) + prefix
    regex = _beginning_with(fragment, excerpt) if fragment and abilities.regex else None
    if abilities.fill_in_middle and not abilities.chat:
        infill = Infill(begun, excerpt.suffix, Sampling(max_tokens=max_tokens, regex=regex))
        return CompletionPrompt(infill, fragment)
    fence = fence_for(excerpt.prefix + excerpt.suffix)
    request = Request(
        messages=(
            Message("system", _COMPLETION_SYSTEM),
            Message("user", _completion_user(excerpt, fence)),
            Message("assistant", f"{fence}{excerpt.language}\n{begun}"),
        ),
        sampling=Sampling(max_tokens=max_tokens, stop=(f"\n{fence}",), regex=regex),
        continues=True,
        priority=COMPLETION_PRIORITY,
    )
    return CompletionPrompt(request, fragment)


def question(question: Question, *, max_tokens: int, temperature: float) -> Request:
    """Ask a question, or for one of the tasks, about some code or none."""
    wanted = _TASKS.get(question.task, _TASKS["ask"]).format(question=question.text).strip()
    parts = (*map(_shown_code, question.snippets), wanted)
    return Request(
        messages=(
            Message("system", _CHAT_SYSTEM),
            *question.conversation,
            Message("user", "\n\n".join(part for part in parts if part)),
        ),
        sampling=Sampling(max_tokens=max_tokens, temperature=temperature),
    )


def fence_for(text: str) -> str:
    """Return a code fence that is longer than any in the text, as CommonMark wants it."""
    longest = max((len(run) for run in re.findall(r"```+", text)), default=2)
    return "`" * (longest + 1)


def _beginning_with(fragment: str, excerpt: Excerpt) -> str:
    """Return the regular expression that lets through what begins with a fragment: in its column, where it matters."""
    rest = r"(?:[^ \t][\s\S]*)?" if is_at_depth(excerpt) else r"[\s\S]*"
    return _SPECIAL.sub(r"\\\g<0>", fragment) + rest


def _path_line(excerpt: Excerpt) -> str:
    """Return the file's path as a comment of its own language, where it has one."""
    comment = commented(excerpt.path, excerpt.language) if excerpt.path else None
    return f"{comment}\n" if comment else ""


def _completion_user(excerpt: Excerpt, fence: str) -> str:
    name = f" `{excerpt.path}`" if excerpt.path else ""
    below = excerpt.below
    parts = [*map(_shown_code, excerpt.related), f"Write the file{name}."]
    if below.strip():
        parts[-1] += f" It ends with:\n{fence}{excerpt.language}\n{below}\n{fence}"
    return "\n\n".join(parts)


def _shown_code(snippet: Snippet) -> str:
    fence = fence_for(snippet.code)
    name = f"From `{snippet.path}`:\n" if snippet.path else ""
    return f"{name}{fence}{snippet.language}\n{snippet.code}\n{fence}"
