"""Build a Phi-3 with random weights: `python -m phial.host.random_model SHAPE FOLDER`. Needs the extra `optimum`.

What it says is noise, but it costs what the real model costs. Its tokenizer is trained on Python's own library, so
that a token has the length that it has in real code.
"""

from __future__ import annotations

import json
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_VOCABULARY = 32_000
_CORPUS_BYTES = 12_000_000

_CONTROL_TOKENS = (
    *("<|endoftext|>", "<|assistant|>", "<|placeholder1|>", "<|placeholder2|>", "<|placeholder3|>"),
    *("<|placeholder4|>", "<|system|>", "<|end|>", "<|placeholder5|>", "<|placeholder6|>", "<|user|>"),
)

_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)

_SHAPES: dict[str, dict[str, Any]] = {
    # transformers' defaults are Phi-3-mini's: 32 layers of 3072, 32 heads, a vocabulary of 32,064
    "phi-3-mini": {},
    "phi-3-tiny": {
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
    },
}


def main(arguments: list[str]) -> int:
    """Build the shape that is named first into the folder that is named second."""
    shape, folder = arguments
    _save_tokenizer(Path(folder))
    _save_model(_SHAPES[shape], Path(folder))
    return 0


def _save_model(shape: dict[str, Any], folder: Path) -> None:
    import torch
    from transformers import Phi3Config, Phi3ForCausalLM

    config = Phi3Config(
        vocab_size=_VOCABULARY + 64,
        max_position_embeddings=4096,
        original_max_position_embeddings=4096,
        sliding_window=2047,
        bos_token_id=_VOCABULARY,
        eos_token_id=_VOCABULARY,
        pad_token_id=_VOCABULARY,
        **shape,
    )
    torch.manual_seed(0)
    # Half the memory of the usual floats; the weights are made 4 bits wide anyway.
    torch.set_default_dtype(torch.float16)
    with torch.device("meta"):
        model = Phi3ForCausalLM(config)
    model = model.to_empty(device="cpu")
    with torch.no_grad():
        for parameter in model.parameters():
            _fill(parameter)
    model.model.rotary_emb = type(model.model.rotary_emb)(config)
    model.generation_config.eos_token_id = [_VOCABULARY, _VOCABULARY + 1, _VOCABULARY + 7]
    model.save_pretrained(folder)


def _fill(parameter: Any) -> None:
    """Fill with one random block over and over: as good as noise here, and far sooner made."""
    import torch

    if parameter.dim() == 1:
        parameter.fill_(1.0)
        return
    block = torch.randn(min(parameter.numel(), 1 << 22)) * 0.02
    flat = parameter.view(-1)
    for start in range(0, flat.numel(), block.numel()):
        part = flat[start : start + block.numel()]
        part.copy_(block[: part.numel()])


def _save_tokenizer(folder: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(_corpus(), trainer)
    missing = _VOCABULARY - tokenizer.get_vocab_size()
    tokenizer.add_tokens([f"<|unused{number}|>" for number in range(missing)])
    tokenizer.add_special_tokens(
        [AddedToken(token, rstrip=False, normalized=False) for token in _CONTROL_TOKENS]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": _CONTROL_TOKENS[0],
        "eos_token": _CONTROL_TOKENS[0],
        "pad_token": _CONTROL_TOKENS[0],
        "chat_template": _TEMPLATE,
        "model_max_length": 4096,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def _corpus() -> Iterator[str]:
    """Yield source files of Python's own library, in the same order everywhere."""
    size = 0
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text = file.read_text(encoding="utf-8", errors="replace")
        size += len(text)
        yield text
        if size > _CORPUS_BYTES:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
