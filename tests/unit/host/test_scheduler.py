from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families

from phial.errors import EngineError, PhialError, PromptTooLong, UsageError
from phial.host.backend import Decoding
from phial.host.metrics import Metrics
from phial.host.scheduler import Answer, Scheduler
from support.fake_backend import CARD, FakeBackend

CHAT, COMPLETION = 10, 0
LONG = "chat" + "." * 60
"""A prompt that takes eight steps of prefill."""


class Bench:
    """A scheduler over a fake, run for as long as a test lasts."""

    def __init__(self, backend: FakeBackend, scheduler: Scheduler, metrics: Metrics) -> None:
        self.backend, self.scheduler, self._metrics = backend, scheduler, metrics

    @property
    def log(self) -> list[str]:
        return self.backend.log

    @asynccontextmanager
    async def generate(
        self, prompt: str, *, priority: int = CHAT, max_tokens: int = 100
    ) -> AsyncIterator[Answer]:
        tokens = self.backend.tokenizer.encode(prompt)
        async with self.scheduler.generate(tokens, Decoding(max_tokens), priority) as answer:
            yield answer

    async def text(self, prompt: str, *, priority: int = CHAT, max_tokens: int = 100) -> str:
        async with self.generate(prompt, priority=priority, max_tokens=max_tokens) as answer:
            return await self.rest(answer)

    async def rest(self, answer: Answer) -> str:
        tokens = [token.id async for batch in answer for token in batch]
        return self.backend.tokenizer.decode(tokens)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait, step by step, until something has come about."""
        while not reached():
            await self.backend.stepped()

    async def until_again(self, line: str) -> None:
        """Wait until something has been logged once more."""
        before = len(self.log)
        await self.until(lambda: line in self.log[before:])

    def count(self, name: str) -> float:
        """Return a counter, its labels in braces."""
        families = text_string_to_metric_families(self._metrics.text().decode())
        counts = {
            sample.name + (f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""): sample.value
            for family in families
            for sample in family.samples
        }
        return counts.get(name, 0.0)


@asynccontextmanager
async def running(backend: FakeBackend) -> AsyncIterator[Bench]:
    metrics = Metrics()
    scheduler = Scheduler(backend, metrics, ended=lambda: None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scheduler.run)
        yield Bench(backend, scheduler, metrics)
        tasks.cancel_scope.cancel()


# One request


async def test_an_answer_comes_token_by_token() -> None:
    async with running(FakeBackend({"chat": "abc"})) as bench, bench.generate("chat") as answer:
        batches = [batch async for batch in answer]
    assert [[token.id for token in batch] for batch in batches] == [[ord("a")], [ord("b")], [ord("c")]]
    assert answer.finish_reason == "stop"
    assert bench.log == ["start chat", "step chat", "step chat", "step chat"]


async def test_an_answer_ends_at_its_length() -> None:
    async with running(FakeBackend({"chat": "abc"})) as bench, bench.generate("chat", max_tokens=2) as answer:
        assert await bench.rest(answer) == "ab"
        assert answer.finish_reason == "length"


async def test_an_idle_model_is_not_stepped() -> None:
    async with running(FakeBackend({"chat": "a"})) as bench:
        await bench.text("chat")
        await anyio.wait_all_tasks_blocked()
        assert bench.log == ["start chat", "step chat"]


@pytest.mark.parametrize(("length", "allowed"), [(1, 999), (900, 100), (999, 1)])
async def test_an_answer_may_fill_the_context(length: int, allowed: int) -> None:
    backend = FakeBackend({"x": "a"})
    async with running(backend) as bench:
        await bench.text("x" * length, max_tokens=5000)
    assert bench.scheduler.check([0] * length) == allowed
    assert [decoding.max_tokens for decoding in backend.decodings] == [allowed]


@pytest.mark.parametrize("length", [1000, 1001, 5000])
async def test_a_prompt_that_leaves_no_room_is_refused_with_both_numbers(length: int) -> None:
    async with running(FakeBackend({"x": "a"})) as bench:
        with pytest.raises(PromptTooLong, match=f"has {length} tokens, and the model takes 1000 with"):
            await bench.text("x" * length)
    assert bench.log == []


async def test_a_device_may_take_shorter_prompts_than_the_model() -> None:
    card = replace(CARD, max_prompt_len=10, device="NPU")
    async with running(FakeBackend({"x": "a"}, card)) as bench:
        assert await bench.text("x" * 10) == "a"
        with pytest.raises(PromptTooLong, match="has 11 tokens, and the model takes 10 on NPU"):
            await bench.text("x" * 11)


async def test_an_empty_prompt_is_refused() -> None:
    async with running(FakeBackend({"x": "a"})) as bench:
        with pytest.raises(UsageError, match="The prompt is empty"):
            await bench.text("")


# Several requests


async def test_equals_are_answered_together() -> None:
    async with (
        running(FakeBackend({"one": "ab", "two": "cd"})) as bench,
        bench.generate("one") as one,
        bench.generate("two") as two,
    ):
        assert [await bench.rest(one), await bench.rest(two)] == ["ab", "cd"]
    assert bench.log == ["start one", "start two", "step one two", "step one two"]


async def test_the_better_priority_goes_first_then_the_earlier() -> None:
    async with (
        running(FakeBackend({"one": "a", "two": "b", "quick": "c"})) as bench,
        bench.generate("one") as one,
        bench.generate("two") as two,
        bench.generate("quick", priority=COMPLETION) as quick,
    ):
        assert [await bench.rest(answer) for answer in (one, two, quick)] == ["a", "b", "c"]
    assert bench.log == ["start quick", "step quick", "start one", "start two", "step one two"]


async def test_a_chat_waits_for_a_running_completion() -> None:
    async with (
        running(FakeBackend({"quick": "abcd", "chat": "e"})) as bench,
        bench.generate("quick", priority=COMPLETION) as quick,
    ):
        await bench.backend.stepped()
        async with bench.generate("chat") as chat:
            assert [await bench.rest(quick), await bench.rest(chat)] == ["abcd", "e"]
    assert bench.log == ["start quick", *["step quick"] * 4, "start chat", "step chat"]


async def test_a_completion_joins_a_chat_that_writes_already() -> None:
    async with (
        running(FakeBackend({"chat": "abcdef", "quick": "x"})) as bench,
        bench.generate("chat") as chat,
    ):
        await bench.backend.stepped()
        await bench.text("quick", priority=COMPLETION)
        assert await bench.rest(chat) == "abcdef"
    assert "step chat quick" in bench.log
    assert bench.log.count("start chat") == 1
    assert bench.count("phial_preemptions_total") == 0


async def test_a_prefill_makes_way_and_goes_on_afterwards() -> None:
    async with running(FakeBackend({"chat": "abcdef", "quick": "x"})) as bench, bench.generate(LONG) as chat:
        await bench.until(lambda: bench.log.count("step chat") >= 3)
        assert await bench.text("quick", priority=COMPLETION) == "x"
        assert await bench.rest(chat) == "abcdef"
        assert chat.finish_reason == "stop"
    made_way = bench.log.index("start quick")
    assert bench.log[:made_way] == ["start chat", *["step chat"] * (made_way - 1)]
    assert bench.log[made_way:][:4] == ["start quick", "free chat", "step quick", "start chat"]
    assert bench.count("phial_preemptions_total") == 1


async def test_a_prompt_that_makes_way_is_counted_once_and_its_own_work_is_not_from_the_cache() -> None:
    async with running(FakeBackend({"chat": "abc", "quick": "x"})) as bench, bench.generate(LONG) as chat:
        await bench.until(lambda: bench.log.count("step chat") >= 3)
        assert await bench.text("quick", priority=COMPLETION) == "x"
        assert await bench.rest(chat) == "abc"
    assert bench.count("phial_preemptions_total") == 1
    assert chat.cached_tokens == 0
    assert bench.count("phial_cached_tokens_total") == 0
    assert bench.count("phial_prompt_tokens_total") == len(LONG) + len("quick")
    assert bench.count("phial_prefilled_tokens_total") == len(LONG) + len("quick")


async def test_a_prefill_can_make_way_again_and_again() -> None:
    async with running(FakeBackend({"chat": "abc", "quick": "x"})) as bench, bench.generate(LONG) as chat:
        for _ in range(3):
            await bench.until_again("step chat")
            assert await bench.text("quick", priority=COMPLETION) == "x"
        assert await bench.rest(chat) == "abc"
    assert bench.count("phial_preemptions_total") == 3


async def test_a_prefill_does_not_make_way_for_an_equal() -> None:
    async with running(FakeBackend({"chat": "ab", "other": "c"})) as bench, bench.generate(LONG) as chat:
        await bench.backend.stepped()
        assert await bench.text("other") == "c"
        assert await bench.rest(chat) == "ab"
    assert not any(line.startswith("free") for line in bench.log)


# A backend that answers one request at a time


ALONE = replace(CARD, max_requests=1, cache_blocks=0, prefill_chunk=CARD.max_model_len)


async def test_one_at_a_time_equals_wait_for_each_other() -> None:
    async with (
        running(FakeBackend({"one": "ab", "two": "cd"}, ALONE)) as bench,
        bench.generate("one") as one,
        bench.generate("two") as two,
    ):
        assert [await bench.rest(one), await bench.rest(two)] == ["ab", "cd"]
    assert bench.log == ["start one", *["step one"] * 2, "start two", *["step two"] * 2]


async def test_one_at_a_time_an_answer_makes_way_and_is_then_gone_on_with() -> None:
    async with (
        running(FakeBackend({"chat": "abcdef", "quick": "xy"}, ALONE)) as bench,
        bench.generate("chat", max_tokens=50) as chat,
    ):
        await bench.until(lambda: bench.log.count("step chat") >= 2)
        assert await bench.text("quick", priority=COMPLETION) == "xy"
        assert await bench.rest(chat) == "abcdef"
    written = bench.log.index("free chat") - 1
    assert 2 <= written < 6
    assert bench.log[written + 1 :] == [
        *("free chat", "step"),
        *("start quick", "step quick", "step quick"),
        *("start chat", *["step chat"] * (6 - written)),
    ]
    assert bench.backend.prompts == ["chat", "quick", "chat" + "abcdef"[:written]]
    assert [decoding.max_tokens for decoding in bench.backend.decodings] == [50, 100, 50 - written]


async def test_one_at_a_time_an_answer_that_has_all_its_tokens_ends_instead_of_making_way() -> None:
    backend = FakeBackend({"chat": "abcdef", "quick": "xy"}, ALONE)
    backend.ends_late = True
    async with running(backend) as bench, bench.generate("chat", max_tokens=2) as chat:
        await bench.until(lambda: bench.log.count("step chat") == 2)
        assert await bench.text("quick", priority=COMPLETION) == "xy"
        assert await bench.rest(chat) == "ab"
        assert chat.finish_reason == "length"
    assert backend.prompts == ["chat", "quick"]
    assert bench.count("phial_preemptions_total") == 0
    assert bench.count("phial_requests_total{length}") == 1
    assert bench.count("phial_requests_total{cancelled}") == 0


async def test_one_at_a_time_who_leaves_is_let_go_of_before_the_next_begins() -> None:
    async with running(FakeBackend({"chat": "a" * 50, "other": "b"}, ALONE)) as bench:
        async with bench.generate("chat"):
            await bench.backend.stepped()
        assert await bench.text("other") == "b"
    gone = bench.log.index("free chat")
    assert bench.log[gone:] == ["free chat", "step", "start other", "step other"]


async def test_nothing_is_cached_where_nothing_is_kept() -> None:
    async with running(FakeBackend({"chat": "a"}, ALONE)) as bench:
        for _ in range(2):
            async with bench.generate(LONG) as answer:
                await bench.rest(answer)
            assert answer.cached_tokens == 0


# The cache


async def test_who_finds_no_room_in_the_cache_waits() -> None:
    card = replace(CARD, block_size=10, cache_blocks=5)
    async with (
        running(FakeBackend({"one": "abc", "two": "def"}, card)) as bench,
        bench.generate("one", max_tokens=27) as one,
        bench.generate("two", max_tokens=27) as two,
    ):
        assert [await bench.rest(one), await bench.rest(two)] == ["abc", "def"]
    assert bench.log == ["start one", *["step one"] * 3, "start two", *["step two"] * 3]


async def test_who_finds_room_in_the_cache_does_not_wait() -> None:
    card = replace(CARD, block_size=10, cache_blocks=6)
    async with (
        running(FakeBackend({"one": "abc", "two": "def"}, card)) as bench,
        bench.generate("one", max_tokens=27) as one,
        bench.generate("two", max_tokens=27) as two,
    ):
        assert [await bench.rest(one), await bench.rest(two)] == ["abc", "def"]
    assert "step one two" in bench.log


async def test_room_is_counted_in_blocks() -> None:
    """Thrice eleven tokens fit forty, but each of them takes two blocks of ten."""
    card = replace(CARD, block_size=10, cache_blocks=4)
    async with (
        running(FakeBackend({"one": "a", "two": "b", "three": "c"}, card)) as bench,
        bench.generate("one", max_tokens=8) as one,
        bench.generate("two", max_tokens=8) as two,
        bench.generate("three", max_tokens=6) as three,
    ):
        assert [await bench.rest(answer) for answer in (one, two, three)] == ["a", "b", "c"]
    assert bench.log == ["start one", "start two", "step one two", "start three", "step three"]


async def test_nobody_overtakes_who_waits_for_room() -> None:
    card = replace(CARD, block_size=10, cache_blocks=4)
    async with (
        running(FakeBackend({"one": "a", "big": "b", "small": "c"}, card)) as bench,
        bench.generate("one", max_tokens=7) as one,
        bench.generate("big", max_tokens=37) as big,
        bench.generate("small", max_tokens=5) as small,
    ):
        assert [await bench.rest(answer) for answer in (one, big, small)] == ["a", "b", "c"]
    assert [line for line in bench.log if "start" in line] == ["start one", "start big", "start small"]


async def test_a_prompt_asked_again_is_cached_but_for_its_last_token() -> None:
    async with running(FakeBackend({"chat": "a"})) as bench:
        for cached in (0, len(LONG) - 1):
            async with bench.generate(LONG) as answer:
                await bench.rest(answer)
            assert answer.cached_tokens == cached
    assert bench.count("phial_cached_tokens_total") == len(LONG) - 1
    assert bench.count("phial_prompt_tokens_total") == 2 * len(LONG)
    assert bench.count("phial_prefilled_tokens_total") == len(LONG) + 1
    assert bench.count("phial_generated_tokens_total") == 2
    assert bench.count("phial_first_token_seconds_count") == 2
    assert bench.count("phial_step_seconds_count") == bench.log.count("step chat")
    assert bench.count("phial_step_seconds_sum") < 60
    assert bench.count("phial_first_token_seconds_sum") < 60
    assert bench.count("phial_requests_total{stop}") == 2


# Leaving


async def test_to_leave_frees_the_model_in_one_step() -> None:
    async with running(FakeBackend({"chat": "a" * 500})) as bench:
        async with bench.generate("chat", max_tokens=500):
            await bench.backend.stepped()
        await bench.backend.stepped()
        await anyio.wait_all_tasks_blocked()
    assert bench.log[-2:] == ["free chat", "step"]
    assert bench.log.count("step chat") < 5
    assert bench.count("phial_requests_total{cancelled}") == 1


async def test_to_leave_in_the_prefill_frees_the_model_in_one_step() -> None:
    async with running(FakeBackend({"chat": "a"})) as bench:
        async with bench.generate(LONG):
            await bench.until(lambda: "step chat" in bench.log)
        await bench.backend.stepped()
        await anyio.wait_all_tasks_blocked()
    assert bench.log[-2:] == ["free chat", "step"]
    assert bench.log.count("step chat") < 4


async def test_a_cancelled_task_frees_the_model_too() -> None:
    async with running(FakeBackend({"chat": "a" * 500})) as bench:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bench.text, "chat")
            await bench.backend.stepped()
            tasks.cancel_scope.cancel()
        await bench.backend.stepped()
        await anyio.wait_all_tasks_blocked()
    assert bench.log[-2:] == ["free chat", "step"]


async def test_what_the_left_one_computed_stays_cached() -> None:
    async with running(FakeBackend({"chat": "a"})) as bench:
        async with bench.generate(LONG):
            await bench.until(lambda: bench.log.count("step chat") >= 2)
        async with bench.generate(LONG) as again:
            assert await bench.rest(again) == "a"
    computed = bench.log[: bench.log.index("free chat")].count("step chat") * CARD.prefill_chunk
    assert again.cached_tokens == computed < len(LONG)


async def test_of_two_prefills_the_first_has_the_steps() -> None:
    other = LONG.replace("chat", "other")
    async with running(FakeBackend({"chat": "a", "other": "b"})) as bench:
        async with bench.generate(LONG), bench.generate(other):
            await bench.until(lambda: bench.log.count("step chat other") >= 2)
        async with bench.generate(other) as again:
            assert await bench.rest(again) == "b"
    assert again.cached_tokens == 0


async def test_to_leave_while_waiting_costs_the_model_nothing() -> None:
    async with (
        running(FakeBackend({"quick": "abcd", "chat": "x"})) as bench,
        bench.generate("quick", priority=COMPLETION) as quick,
    ):
        await bench.backend.stepped()
        async with bench.generate("chat"):
            pass
        assert await bench.rest(quick) == "abcd"
        await anyio.wait_all_tasks_blocked()
    assert bench.log == ["start quick", *["step quick"] * 4]
    assert bench.count("phial_requests_total{cancelled}") == 1


async def test_a_reader_who_has_seen_enough_was_not_cancelled() -> None:
    async with running(FakeBackend({"chat": "a" * 50})) as bench, bench.generate("chat") as answer:
        answer.complete = True
    assert bench.count("phial_requests_total{stop}") == 1
    assert bench.count("phial_requests_total{cancelled}") == 0


# Errors


async def test_the_error_of_one_request_does_not_hurt_the_others() -> None:
    backend = FakeBackend({"bad": "ab", "good": "cdef"})
    backend.errors["bad"] = EngineError("The model's cache is full.")
    async with running(backend) as bench, bench.generate("bad") as bad, bench.generate("good") as good:
        with pytest.raises(EngineError, match="cache is full"):
            await bench.rest(bad)
        assert await bench.rest(good) == "cdef"
        assert await bench.text("good") == "cdef"
    assert bench.count("phial_requests_total{failed}") == 1


async def test_what_came_before_the_error_is_told() -> None:
    backend = FakeBackend({"bad": "ab"})
    backend.errors["bad"] = EngineError("It broke.")
    async with running(backend) as bench, bench.generate("bad") as answer:
        batches = aiter(answer)
        told = [(await anext(batches))[0].id for _ in range(2)]
        with pytest.raises(EngineError, match="It broke"):
            await anext(batches)
    assert backend.tokenizer.decode(told) == "ab"


async def test_a_request_that_the_backend_refuses_does_not_hurt_the_others() -> None:
    backend = FakeBackend({"bad": "", "good": "ab"})
    backend.refused["bad"] = EngineError("The model does not take this request.")
    async with running(backend) as bench:
        with pytest.raises(EngineError, match="does not take"):
            await bench.text("bad")
        assert bench.log == []
        assert await bench.text("good") == "ab"


async def test_a_model_that_stops_working_fails_all_clearly_and_says_so() -> None:
    backend = FakeBackend({"quick": "a" * 50, "chat": "b"})
    metrics = Metrics()
    scheduler = Scheduler(backend, metrics, ended=lambda: None)
    bench = Bench(backend, scheduler, metrics)
    raised: list[Exception] = []
    ended = anyio.Event()

    async def run() -> None:
        try:
            await scheduler.run()
        except RuntimeError as error:
            raised.append(error)
            ended.set()

    told: list[PhialError] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        async with bench.generate("quick", priority=COMPLETION) as quick, bench.generate("chat") as waiting:
            await backend.stepped()
            backend.broken = RuntimeError("\n  Exception from src/cpu/node.cpp:12:\nout of luck.\n")
            await ended.wait()
            for answer in (quick, waiting):
                with pytest.raises(EngineError) as caught:
                    await bench.rest(answer)
                told.append(caught.value)
    assert raised == [backend.broken]
    assert {error.message for error in told} == {
        "The model stopped working: Exception from src/cpu/node.cpp:12:."
    }


# Speed


@pytest.mark.parametrize(("tokens", "told"), [(15, False), (16, True)])
async def test_the_speed_is_told_once_an_answer_was_long_enough(tokens: int, told: bool) -> None:
    ends: list[float | None] = []
    backend = FakeBackend({"chat": "a" * tokens})
    scheduler = Scheduler(backend, Metrics(), ended=lambda: ends.append(scheduler.tokens_per_second))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scheduler.run)
        async with scheduler.generate(b"chat", Decoding(100), CHAT) as answer:
            assert scheduler.tokens_per_second is None
            assert len([batch async for batch in answer]) == tokens
        tasks.cancel_scope.cancel()
    assert ends == ([scheduler.tokens_per_second] if told else [])
    assert all(speed and speed > 0 for speed in ends)
