"""Save a GGUF file as OpenVINO IR with tokenizers: `python -m phial.host.gguf SOURCE.gguf TARGET_FOLDER`."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Convert and return the exit code: 0, or 1 with one line on stderr."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m phial.host.gguf SOURCE.gguf TARGET_FOLDER\n")
        return 1
    try:
        convert(Path(arguments[0]), Path(arguments[1]))
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        lines = str(error).split("\n")
        sys.stderr.write(" ".join(line.strip() for line in lines if line.strip()) + "\n")
        return 1
    return 0


def convert(source: Path, folder: Path) -> None:
    """Write the IR of `source` and its tokenizers into `folder`."""
    copy = folder / source.name
    _link(source, copy)
    try:
        _save_beside(copy)
    finally:
        with contextlib.suppress(
            PermissionError
        ):  # Windows: still mapped; whoever started us deletes it then
            copy.unlink()


def _link(source: Path, copy: Path) -> None:
    try:
        os.link(source, copy)
    except OSError:  # another disk, or a file system without hard links
        shutil.copyfile(source, copy)


def _save_beside(gguf: Path) -> None:
    import openvino_genai

    # the pipeline itself is of no use here: saving is a side effect of loading
    openvino_genai.LLMPipeline(str(gguf), "CPU", enable_save_ov_model=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
