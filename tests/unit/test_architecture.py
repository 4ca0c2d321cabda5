"""The architecture's invariants, read from the imports of every file: at its top or inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[2] / "server"

# What each part may import of Phial; the longest name that fits counts. The version, `phial`, is everybody's.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "phial": (),
    "phial.errors": (),
    "phial.settings": (),
    "phial.folders": (),
    "phial.address": ("phial.folders",),
    "phial.models": ("phial.models", "phial.address", "phial.errors", "phial.folders"),
    "phial.engine.base": (),
    "phial.engine": (
        "phial.engine",
        "phial.models.store",
        "phial.address",
        "phial.errors",
        "phial.settings",
    ),
    "phial.assist": ("phial.assist", "phial.engine.base", "phial.errors", "phial.settings"),
    "phial.host": ("phial.host", "phial.models", "phial.address", "phial.errors", "phial.folders"),
    "phial.bench": (
        "phial.bench",
        "phial.lsp.session",
        "phial.engine",
        "phial.models",
        "phial.address",
        "phial.errors",
        "phial.folders",
    ),
    "phial.lsp": (
        "phial.lsp",
        "phial.assist",
        "phial.engine",
        "phial.models.overview",
        "phial.errors",
        "phial.settings",
    ),
    "phial.cli": ("phial",),
    "phial.__main__": ("phial.cli",),
}

# Who may import what is not ours. A library that is not here is nobody's in particular.
BACKENDS = (
    "phial.host.genai",
    "phial.host.genai_generation",
    "phial.host.gguf",
    "phial.host.llm",
    "phial.host.optimum",
    "phial.host.devices",
    "phial.host.ir",
    "phial.host.random_model",
)
ONLY_IMPORTED_BY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("pygls", "lsprotocol"), ("phial.lsp",)),
    **dict.fromkeys(("openvino", "openvino_genai", "openvino_tokenizers"), BACKENDS),
    **dict.fromkeys(("torch", "transformers", "optimum"), BACKENDS),
    **dict.fromkeys(("starlette", "uvicorn", "pydantic", "prometheus_client"), ("phial.host",)),
    **dict.fromkeys(("typer", "rich"), ("phial.cli",)),
    "tree_sitter": ("phial.assist.syntax",),
    "llama_cpp": ("phial.bench.rivals.llama_cpp_worker",),
    "gguf": ("phial.bench.rivals.gguf_model",),
}

# No more is needed than this: no file, no socket, no process. `time` is for pacing, anyio for waiting.
# tree-sitter parses text in memory; its grammars are imported by name, when a language is first met.
ASSIST_MAY_IMPORT = {
    *("__future__", "collections.abc", "contextlib", "dataclasses", "math", "re", "time", "typing"),
    *("anyio", "collections", "functools", "importlib", "tree_sitter"),
}

LONGEST_MODULE = 300
"""Lines."""


def imports(source: str) -> set[str]:
    """Return the full name of everything that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports would be read wrongly here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(SERVER).with_suffix("").parts).removesuffix(".__init__")


SOURCES = {module_name(file): file.read_text(encoding="utf-8") for file in sorted(SERVER.rglob("*.py"))}
IMPORTS = {module: imports(source) for module, source in SOURCES.items()}

each_module = pytest.mark.parametrize("module", SOURCES)


def is_in(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def owned(name: str) -> str:
    """Return the module of ours that an imported name is or is in."""
    while name not in SOURCES:
        name = name.rpartition(".")[0]
    return name


def ours(module: str) -> set[str]:
    """Return the modules of ours that a module imports, but for the one with the version."""
    return {owned(name) for name in IMPORTS[module] if is_in(name, "phial")} - {"phial"}


def reachable(module: str, seen: set[str] | None = None) -> set[str]:
    """Return a module and all of ours that it imports in the end."""
    seen = set() if seen is None else seen
    if module not in seen:
        seen.add(module)
        for imported in ours(module):
            reachable(imported, seen)
    return seen


# The layers


def test_imports_are_read_wherever_they_stand() -> None:
    source = "import a.b as c\nfrom d.e import f, g\ndef h():\n    if i:\n        import j\n        from k import l\n"
    assert imports(source) == {"a.b", "d.e.f", "d.e.g", "j", "k.l"}
    assert {"phial.lsp.server", "phial.host.scheduler", "phial.assist.trim", "phial.cli"} <= SOURCES.keys()
    assert "phial.host.process" in ours("phial.cli.servers"), "an import inside a function"


@each_module
def test_imports_point_one_way(module: str) -> None:
    layer = max((part for part in MAY_IMPORT if is_in(module, part)), key=len)
    assert layer != "phial" or module == "phial", f"{module} stands in no layer"
    wrong = {name for name in ours(module) if not any(is_in(name, part) for part in MAY_IMPORT[layer])}
    assert not wrong, f"{layer} may import {MAY_IMPORT[layer]} only"


def test_no_imports_go_in_a_circle() -> None:
    circles = [module for module in SOURCES if any(module in reachable(name) for name in ours(module))]
    assert circles == []


@each_module
def test_a_library_stays_where_it_belongs(module: str) -> None:
    for name in IMPORTS[module]:
        owners = ONLY_IMPORTED_BY.get(name.partition(".")[0])
        assert owners is None or any(is_in(module, owner) for owner in owners), f"{name} is for {owners}"


def test_the_language_server_never_loads_a_model() -> None:
    modules = reachable("phial.lsp.server")
    assert {"phial.assist.trim", "phial.engine.local"} <= modules
    assert not any(is_in(module, "phial.host") for module in modules)


@pytest.mark.parametrize("module", [module for module in SOURCES if is_in(module, "phial.assist")])
def test_assist_does_no_input_or_output(module: str) -> None:
    for name in IMPORTS[module]:
        known = name in ASSIST_MAY_IMPORT or name.rpartition(".")[0] in ASSIST_MAY_IMPORT
        assert known or is_in(name, "phial"), name
    calls = [node.func for node in ast.walk(ast.parse(SOURCES[module])) if isinstance(node, ast.Call)]
    called = {function.id for function in calls if isinstance(function, ast.Name)}
    assert not called & {"open", "print", "input", "exec", "eval", "__import__"}


# House rules that an import or a linter does not tell


def caught(source: str) -> Iterator[str]:
    """Yield the name of each exception that a file catches; "" for a handler that catches all."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            yield from (ast.unparse(kind).rpartition(".")[2] if kind else "" for kind in kinds)


def test_what_is_caught_is_read_in_every_form() -> None:
    source = "try: pass\nexcept: pass\ntry: pass\nexcept (a.B, C): pass\ntry: pass\nexcept d.E as f: pass\n"
    assert set(caught(source)) == {"", "B", "C", "E"}


@each_module
def test_nobody_catches_a_cancellation(module: str) -> None:
    assert not {"", "BaseException", "CancelledError"} & set(caught(SOURCES[module]))


@each_module
def test_a_module_is_short(module: str) -> None:
    lines = len(SOURCES[module].splitlines())
    assert lines <= LONGEST_MODULE
