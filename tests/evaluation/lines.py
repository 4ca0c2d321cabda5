"""A file of JSON lines that grows: what a run has done stays done when the run is cut off."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Lines:
    """Lines by their `key`; a later one takes the place of an earlier. Several threads may add."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text("utf-8") if file.exists() else ""
        whole, _, torn = text.rpartition("\n")
        if torn:  # a run ended while it wrote it
            file.write_text(whole + "\n" if whole else "", "utf-8")
        self._lines: dict[str, Line] = {}
        for line in whole.splitlines():
            read = json.loads(line)
            self._lines[read["key"]] = read

    def __contains__(self, key: str) -> bool:
        return key in self._lines

    def __getitem__(self, key: str) -> Line:
        return self._lines[key]

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines.values())

    def add(self, line: Line) -> None:
        """Write a line to the file and remember it."""
        with self._lock:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=True) + "\n")
            self._lines[line["key"]] = line
