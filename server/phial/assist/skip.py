"""Where no ghost text is wanted: among secrets, in text that no one writes, inside a word."""

from __future__ import annotations

import re
from typing import Literal

from phial.assist.excerpt import Excerpt

Trigger = Literal["automatic", "invoked"]

LONGEST_LINE = 1_000
"""Characters; a minified file has a few lines of many more."""


def reason_to_skip(excerpt: Excerpt, path: str, trigger: Trigger) -> str | None:
    """Return why not to complete here, or None. The path may be whole or relative, with slashes of either kind.

    What holds secrets is never completed; what is only unlikely to be wanted is, once it is asked for.
    """
    name = _name(path)
    if holds_secrets(path):
        return "the file may hold secrets"
    if trigger == "invoked":
        return None
    reasons = {
        "the file is generated": _GENERATED_NAME.fullmatch(name),
        "the file says that it is generated": _GENERATED_HEADER.match(excerpt.prefix),
        "the line is too long to be written by hand": (
            len(excerpt.line_before) + len(excerpt.line_after) > LONGEST_LINE
        ),
        "the cursor is inside a word": _is_inside_word(excerpt),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def holds_secrets(path: str) -> bool:
    """Return whether a file may hold secrets, by its path: a model is to see nothing of it."""
    whole_path = path.replace("\\", "/").lower()
    return bool(_SECRET_NAME.fullmatch(_name(path)) or _SECRET_PATH.search(whole_path))


def _name(path: str) -> str:
    return re.split(r"[/\\]", path)[-1].lower()


def _is_inside_word(excerpt: Excerpt) -> bool:
    before, after = excerpt.line_before[-1:], excerpt.line_after[:1]
    return _is_of_word(before) and _is_of_word(after)


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_"


_SECRET_NAME = re.compile(
    r"\.env(?:\..*|rc)?|.*\.env|env\.(?:local|prod|production)"
    r"|.*\.(?:pem|key|p12|pfx|p8|jks|keystore|kdbx?|ppk|asc|gpg|age|ovpn|der|tfvars|tfstate|agekey)"
    r"|.*\.(?:tfstate\.backup|tfvars\.json)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)(?:_.*|\..*)?"
    r"|[._](?:netrc|npmrc|pypirc|pgpass|my\.cnf|git-credentials|htpasswd|vault_pass|vault-token|boto|s3cfg|yarnrc)"
    r"|\.yarnrc\.ya?ml|\.dockercfg|kubeconfig|.*\.kubeconfig|passwd|shadow|htpasswd"
    r"|(?:.*[._-])?(?:secrets?|credentials?|passwords?|service[_-]account)"
    r"(?:\.(?:json|ya?ml|toml|ini|cfg|conf|env|txt|properties|xml|csv|enc|db|config))?"
    r"|client_secret.*\.json|local\.settings\.json"
)
_SECRET_PATH = re.compile(
    r"(?:^|/)(?:\.(?:ssh|gnupg|aws|kube|password-store)|\.docker/config\.json|\.config/gh/hosts\.yml)(?:/|\Z)"
)
_GENERATED_NAME = re.compile(
    r".*[.-]min\.(?:js|mjs|cjs|css|html)|.*\.(?:map|lock|bundle\.js|pb\.go|snap)|.*_pb2(?:_grpc)?\.pyi?"
    r"|.*\.(?:g|generated|designer)\.\w+|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|bun\.lockb?"
    r"|packages\.lock\.json|go\.sum|gradle\.lockfile|podfile\.lock|\.terraform\.lock\.hcl"
)
# A marker counts where generators put it: at the top, in a comment.
_GENERATED_HEADER = re.compile(
    r"(?:.*\n){0,20}?[ \t]*(?:#|//|/\*|\*|--|;|<!--|%|\"|'|rem\b).*"
    r"(?:@generated\b|\bDO NOT (?:EDIT|MODIFY)\b|<auto-?generated|\b[Aa]uto-?generated (?:by|file|from)\b"
    r"|(?:file|code) (?:is|was|has been) (?:automatically |auto-?)?generated\b)"
)
