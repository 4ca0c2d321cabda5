"""A host's speed and size, as figures, with how much of the memory's bandwidth it takes."""

from __future__ import annotations

import json

from phial.bench.bandwidth import bandwidth_share
from phial.bench.figures import Figure
from phial.bench.measure import measure
from phial.bench.running import own_host
from phial.models.store import Model


async def speed_figures(model: Model, device: str, *, runs: int, bandwidth: float) -> list[Figure]:
    """Load a model twice and measure it: the second load finds what the first has left on the disk.

    `bandwidth` is the memory's, in bytes per second. Raises `PhialError`.
    """
    async with own_host(model, device) as host:
        first_load = host.load_seconds
    async with own_host(model, device) as host:
        found = await measure(host.address, host.load_seconds, runs=runs)
    decode = found.decode_tokens_per_second
    share = bandwidth_share(weights_bytes(model), decode, bandwidth)
    return [
        Figure("load_seconds", "Load", first_load, "s"),
        Figure("second_load_seconds", "Load, the second time", found.load_seconds, "s"),
        Figure(
            "cold_first_token_seconds", "First token, cold, 512 tokens", found.cold_first_token_seconds, "s"
        ),
        Figure("warm_first_token_seconds", "First token, 4 tokens more", found.warm_first_token_seconds, "s"),
        Figure("prefill_tokens_per_second", "Prefill", found.prefill_tokens_per_second, "tokens/s"),
        Figure("decode_tokens_per_second", "Decode", decode, "tokens/s"),
        Figure("memory_megabytes", "Memory", found.memory_bytes / 1e6, "MB"),
        Figure("memory_bandwidth_gigabytes_per_second", "The memory's bandwidth", bandwidth / 1e9, "GB/s"),
        Figure("bandwidth_share", "Share of it that decode takes", share),
    ]


def weights_bytes(model: Model) -> int:
    """Return how many bytes of weights are read for each token: all but the embeddings, of which it reads one row.

    Where the embeddings are the last matrix too, all of them are. Separate ones are taken to be 8 bits wide.
    """
    size = (model.folder / "openvino_model.bin").stat().st_size
    config = model.folder / "config.json"
    if not config.is_file():
        return size
    shape = json.loads(config.read_text(encoding="utf-8"))
    tied = shape.get("tie_word_embeddings", True)
    return size if tied else size - int(shape["vocab_size"]) * int(shape["hidden_size"])
