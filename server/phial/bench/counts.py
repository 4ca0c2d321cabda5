"""What a host has counted, from its `/metrics`."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass

import httpx2

_SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class HostCounts:
    """Counters of a host: requests and tokens; `ended` counts requests, `cancelled` those that somebody left."""

    ended: float = 0
    cancelled: float = 0
    prompt_tokens: float = 0
    cached_tokens: float = 0
    prefilled_tokens: float = 0
    generated_tokens: float = 0
    steps: float = 0
    step_seconds: float = 0
    first_tokens: float = 0
    first_token_seconds: float = 0

    def since(self, earlier: HostCounts) -> HostCounts:
        """Return what has been counted after an earlier time."""
        return HostCounts(*(now - then for now, then in zip(astuple(self), astuple(earlier), strict=True)))


async def host_counts(http: httpx2.AsyncClient) -> HostCounts:
    """Ask a host what it has counted."""
    response = await http.get("/metrics")
    response.raise_for_status()
    return parse(response.text)


def parse(metrics: str) -> HostCounts:
    """Read Prometheus' text format. A counter that is not there has counted nothing.

    https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    values: dict[str, float] = {}
    for sample in _SAMPLE.finditer(metrics):
        name = sample["name"]
        values[name] = values.get(name, 0.0) + float(sample["value"])
        if sample["labels"]:
            values[f"{name}{{{sample['labels']}}}"] = float(sample["value"])
    return HostCounts(
        ended=values.get("phial_requests_total", 0),
        cancelled=values.get('phial_requests_total{outcome="cancelled"}', 0),
        prompt_tokens=values.get("phial_prompt_tokens_total", 0),
        cached_tokens=values.get("phial_cached_tokens_total", 0),
        prefilled_tokens=values.get("phial_prefilled_tokens_total", 0),
        generated_tokens=values.get("phial_generated_tokens_total", 0),
        steps=values.get("phial_step_seconds_count", 0),
        step_seconds=values.get("phial_step_seconds_sum", 0),
        first_tokens=values.get("phial_first_token_seconds_count", 0),
        first_token_seconds=values.get("phial_first_token_seconds_sum", 0),
    )
