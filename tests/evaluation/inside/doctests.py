"""Run inside the sandbox: the doctests of one function, with another text in the place of its module's.

Reads a job as JSON from stdin and writes the verdict as JSON to stdout; what the code under test prints is
dropped. Uses the standard library alone.
"""

from __future__ import annotations

import doctest
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.FAIL_FAST

_REFUSED = (
    "os.exec",
    "os.fork",
    "os.kill",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "socket.",
    "subprocess.",
)
_CHANGING = (
    "os.chmod",
    "os.chown",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
)
_CHANGING_TOO = ("os.truncate", "os.utime", "shutil.")


class Replaced(importlib.machinery.SourceFileLoader):
    """Loads a module from the job's text, as if it stood in the module's file."""

    text = b""

    def get_data(self, path: str) -> bytes:
        return self.text

    def path_stats(self, path: str) -> Any:
        raise OSError("no bytecode of the file's own text, please")

    def set_data(self, path: str, data: object, *, _mode: int = 0o666) -> None:
        pass


class Finder(importlib.abc.MetaPathFinder):
    """Finds one module alone."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text.encode()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if found is None or found.origin is None:
            return None
        loader = Replaced(fullname, found.origin)
        loader.text = self.text
        return importlib.util.spec_from_file_location(
            fullname, found.origin, loader=loader, submodule_search_locations=found.submodule_search_locations
        )


def main() -> None:
    job = json.load(sys.stdin)
    told = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.path[0:1] = job["paths"]  # the first is this file's folder
    sys.dont_write_bytecode = True
    random.seed(0)
    folder = str(Path.cwd().resolve())
    sys.addaudithook(lambda event, arguments: refuse(event, arguments, folder))
    verdict = examine(job)
    os.write(told, json.dumps(verdict).encode())
    os._exit(0)  # a thread of the code under test may go on for ever


def examine(job: dict[str, Any]) -> dict[str, Any]:
    """Return whether all doctests pass."""
    sys.meta_path.insert(0, Finder(job["module"], job["source"]))
    try:
        names = dict(vars(importlib.import_module(job["module"])))
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever a model has written
        return {"passed": False, "why": f"import: {type(error).__name__}"}
    test = doctest.DocTestParser().get_doctest(job["tests"], names, job["function"], None, 0)
    try:
        result = doctest.DocTestRunner(verbose=False, optionflags=_FLAGS).run(test, out=lambda _: None)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - as above
        return {"passed": False, "why": type(error).__name__}
    return {"passed": result.failed == 0 < result.attempted, "why": "doctest" if result.failed else ""}


def refuse(event: str, arguments: tuple[Any, ...], folder: str) -> None:
    """Allow no network, no process and no change outside of the process's own folder."""
    if event.startswith(_REFUSED):
        raise PermissionError(event)
    if event == "open" and changes(arguments) and outside(arguments[0], folder):
        raise PermissionError(event)
    if event.startswith((*_CHANGING, *_CHANGING_TOO)) and any(outside(item, folder) for item in arguments):
        raise PermissionError(event)


def changes(arguments: tuple[Any, ...]) -> bool:
    """Return whether a file is opened for more than reading."""
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND))


def outside(path: object, folder: str) -> bool:
    """Return whether something is a path that leads out of a folder."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False
    real = os.path.realpath(os.fsdecode(path))
    return real not in {folder, os.devnull} and not real.startswith(folder + os.sep)


if __name__ == "__main__":
    main()
