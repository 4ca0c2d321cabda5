from __future__ import annotations

from phial.bench.counts import HostCounts, parse
from phial.host.metrics import Metrics


def test_what_a_host_tells_is_understood() -> None:
    metrics = Metrics()
    metrics.requests.labels("stop").inc(2)
    metrics.requests.labels("cancelled").inc()
    metrics.prompt_tokens.inc(100)
    metrics.cached_tokens.inc(64)
    metrics.prefilled_tokens.inc(36)
    metrics.generated_tokens.inc(12)
    metrics.step_seconds.observe(0.5)
    metrics.step_seconds.observe(0.25)
    metrics.first_token_seconds.observe(2.0)
    assert parse(metrics.text().decode()) == HostCounts(
        ended=3,
        cancelled=1,
        prompt_tokens=100,
        cached_tokens=64,
        prefilled_tokens=36,
        generated_tokens=12,
        steps=2,
        step_seconds=0.75,
        first_tokens=1,
        first_token_seconds=2.0,
    )


def test_a_host_that_has_counted_nothing_tells_zeros() -> None:
    assert parse(Metrics().text().decode()) == HostCounts()
    assert parse("") == HostCounts()


def test_what_was_counted_since_is_the_difference() -> None:
    assert HostCounts(steps=5, ended=2).since(HostCounts(steps=3)) == HostCounts(steps=2, ended=2)
