"""What the host counts, in the form that Prometheus reads. Numbers only: no text of any request."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one host."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # they double the page and tell nothing
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "phial_requests", "Requests that have ended, by how.", ["outcome"], registry=registry
        )
        self.prompt_tokens = Counter("phial_prompt_tokens", "Tokens of prompts.", registry=registry)
        self.cached_tokens = Counter(
            "phial_cached_tokens", "Tokens of prompts that the prefix cache held.", registry=registry
        )
        self.prefilled_tokens = Counter(
            "phial_prefilled_tokens", "Tokens of prompts that were computed.", registry=registry
        )
        self.generated_tokens = Counter("phial_generated_tokens", "Tokens generated.", registry=registry)
        self.preemptions = Counter(
            "phial_preemptions", "Prefills that made way for a request of better priority.", registry=registry
        )
        self.first_token_seconds = Histogram(
            "phial_first_token_seconds",
            "Seconds from a request's arrival to its first token.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.step_seconds = Histogram(
            "phial_step_seconds",
            "Seconds that a step of the model took.",
            buckets=_SECONDS,
            registry=registry,
        )

    def text(self) -> bytes:
        """Return all metrics as Prometheus text."""
        return generate_latest(self._registry)
