"""What the engine knows of languages, by LSP's language ids: comments, and what a block begins with."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Language:
    """How a language is written. Patterns are for one line, without the blanks around it or its comment.

    `opens`: the end of a line after which a block begins, at once. `heads`: a whole line after which one
    begins, once a new line has been. `ends` and `continues`: a line at the opener's own indentation that
    ends the block, or goes on with it. `prose`: what is written is no code.
    """

    line_comments: tuple[str, ...] = ()
    block_comments: tuple[tuple[str, str], ...] = ()
    opens: str = r""
    heads: str = r""
    ends: str = r""
    continues: str = r""
    prose: bool = False

    def is_opened_by(self, code: str, *, fresh: bool) -> bool:
        """Return whether a block begins after a line of code; `fresh`: the cursor stands on a line below."""
        if _matches(rf"(?:{_OPENS}|{self.opens or _NOTHING})\Z", code):
            return True
        return (
            fresh
            and len(code) <= _LONGEST_HEAD
            and _matches(rf"(?:{self.heads or _NOTHING})\Z", code, start=True)
        )

    def is_ended_by(self, line: str) -> bool:
        """Return whether a line ends, by a word and no bracket, the block it stands at the side of."""
        return bool(self.ends) and _matches(self.ends, line.strip(), start=True)

    def is_continued_by(self, line: str) -> bool:
        """Return whether a line that is indented like the opener goes on with its block: `else`."""
        return bool(self.continues) and _matches(self.continues, line.strip(), start=True)


def language(name: str) -> Language:
    """Return what is known of a language by its id; of one that is not, what holds for most."""
    return _LANGUAGES.get(name, _UNKNOWN)


def commented(text: str, name: str) -> str | None:
    """Return a line of text as a comment, or None in a language that has none."""
    known = language(name)
    if known.line_comments:
        return f"{known.line_comments[0]} {text}"
    if known.block_comments:
        begin, end = known.block_comments[0]
        return f"{begin} {text} {end}"
    return None


def _matches(pattern: str, text: str, *, start: bool = False) -> bool:
    # re keeps what it has compiled.
    return (re.match if start else re.search)(pattern, text) is not None


_LONGEST_HEAD = 300
_NOTHING = r"(?!)"

_OPENS = r"[{(\[]|=>|(?<![\w\]])->|\bdo\b(?:\s*\|[^|]*\|)?"
"""In any language: an open bracket, an arrow (but not C's `pointer->`), a `do`."""

_PYTHON_LEADS = "async|case|class|def|elif|else|except|finally|for|if|match|try|while|with"
_BRACE_HEADS = (
    r"(?:\}\s*)?(?:else(?:\s+if\s*\(.*\))?|do|try|finally)"
    r"|(?:\}\s*)?(?:if|for|foreach|while|switch|using|lock|catch|synchronized)\s*\(.*\)"
    # a signature: words, a name, parameters; then `const`, `throws`, a return type
    r"|(?!(?:return|throw|new|delete|await|yield|goto|else|case|in|typeof|assert)\b)"
    r"(?:[\w<>\[\],.*&:?~@]+\s+)+[*&]*[\w:~]+\s*\([^;{}=]*\)[\w\s,.<>&:|\[\]]*"
    r"|(?:\w+\s+)*(?:class|struct|interface|enum|namespace|record|trait|impl|union)\s[^;{}()=]*"
)
_LABEL = r"^(?:case\b.*|default|public|private|protected|signals|(?:public|private)\s+slots)\s*:"
_TAG = r"<[A-Za-z][\w.:-]*(?:\s[^<>]*)?(?<![/-])>"

_C = Language(
    line_comments=("//",),
    block_comments=(("/*", "*/"),),
    opens=_LABEL,
    heads=_BRACE_HEADS,
)
_SCRIPT = replace(_C, opens=rf"{_LABEL}|{_TAG}")
_MARKUP = Language(block_comments=(("<!--", "-->"),), opens=_TAG, ends=r"</")
_STYLES = Language(block_comments=(("/*", "*/"),))
_HASH = Language(line_comments=("#",))
_PROSE = Language(prose=True)
_UNKNOWN = Language(
    line_comments=("//", "#", "--", ";"),
    block_comments=(("/*", "*/"),),
    opens=r":|\b(?:then|begin)",
    ends=r"(?:end|fi|done|esac)\b",
)
_PYTHON = Language(
    line_comments=("#",),
    opens=rf"^(?:{_PYTHON_LEADS})\b.*:|^[)\]}}].*:",
)
_SHELL = Language(
    line_comments=("#",),
    opens=r"\b(?:then|else)|^case\b.*\bin",
    heads=r"\(?[^()\s][^()]*\)",
    ends=r"(?:fi|done|esac)\b",
    continues=r"(?:else|elif)\b",
)
_RUBY = Language(
    line_comments=("#",),
    block_comments=(("=begin", "=end"),),
    opens=r"\b(?:then|begin|else|ensure)",
    heads=r"(?!.*\bend\b)(?:def|class|module|if|unless|while|until|case|when|for|elsif|rescue|private def)\b.*",
    ends=r"end\b",
    continues=r"(?:else|elsif|when|rescue|ensure)\b",
)
_LUA = Language(
    line_comments=("--",),
    block_comments=(("--[[", "]]"),),
    opens=r"\b(?:then|else|repeat)|\bfunction\b[^()]*\([^()]*\)",
    ends=r"(?:end|until)\b",
    continues=r"(?:else|elseif)\b",
)
_SQL = Language(
    line_comments=("--",),
    block_comments=(("/*", "*/"),),
    opens=r"(?i:\b(?:begin|then|else|loop|declare))",
    heads=r"(?i:.*\b(?:select|from|where|set|values|having|as|group by|order by|union|union all))",
    ends=r"(?i:end\b)",
    continues=r"(?i:(?:else|elsif|elseif|exception|when)\b)",
)
_MARKDOWN = Language(
    block_comments=(("<!--", "-->"),), opens=r":", heads=r"#{1,6}\s.*|`{3,}.*|~{3,}.*", prose=True
)

_LANGUAGES: dict[str, Language] = {
    "python": _PYTHON,
    **dict.fromkeys(("java", "c", "cpp", "cuda-cpp", "csharp", "objective-c", "objective-cpp"), _C),
    **dict.fromkeys(("kotlin", "swift", "scala", "groovy", "rust", "zig", "go", "dart"), _C),
    "php": replace(_C, line_comments=("//", "#")),
    "fsharp": Language(("//",), (("(*", "*)"),), opens=r"=|\b(?:then|with)"),
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), _SCRIPT),
    **dict.fromkeys(("html", "xml", "vue", "svelte", "xsl", "handlebars"), _MARKUP),
    "css": _STYLES,
    **dict.fromkeys(("scss", "less"), replace(_STYLES, line_comments=("//",))),
    "sql": _SQL,
    "shellscript": _SHELL,
    "dockerfile": replace(_HASH, opens=r"\\"),
    "makefile": Language(("#",), heads=r"[^\s#=][^#=]*:[^=]*"),
    "yaml": Language(("#",), opens=r":|:\s*[|>][+-]?"),
    **dict.fromkeys(("toml", "ini", "properties", "nix", "terraform", "r", "perl", "graphql"), _HASH),
    **dict.fromkeys(("json",), Language()),
    **dict.fromkeys(("jsonc", "json5"), Language(("//",))),
    **dict.fromkeys(("ruby", "crystal"), _RUBY),
    "elixir": replace(_RUBY, block_comments=()),
    "julia": replace(
        _RUBY, block_comments=(("#=", "=#"),), heads=r"(?:function|for|while|if|struct|module|let)\b.*"
    ),
    "lua": _LUA,
    "haskell": Language(("--",), (("{-", "-}"),), opens=r"=|\b(?:where|of|let)"),
    **dict.fromkeys(("clojure", "lisp", "scheme", "racket"), Language((";",))),
    "powershell": Language(("#",), (("<#", "#>"),)),
    "bat": Language(("rem",)),
    "vb": Language(("'",), heads=r"(?i:(?:sub|function|if|for|while|class)\b.*)", ends=r"(?i:end\b|next\b)"),
    "markdown": _MARKDOWN,
    "latex": replace(_PROSE, line_comments=("%",), opens=r"\\begin\{\w+\*?\}", ends=r"\\end\b"),
    **dict.fromkeys(("plaintext", "restructuredtext", "git-commit", "asciidoc"), _PROSE),
}
