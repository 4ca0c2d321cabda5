"""Answers a request: prompt to tokens, generation, text, and the JSON that OpenAI's clients expect."""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from phial.errors import PhialError, UsageError
from phial.host import schema, template
from phial.host.backend import FinishReason, Token, Tokenizer
from phial.host.host import Loaded
from phial.host.text import StopStrings, TextStream

Json = dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """What one choice of an answer has grown by; the last piece carries the finish reason."""

    choice: int
    text: str
    tokens: Sequence[Token] = ()
    finish_reason: FinishReason | None = None
    cached_tokens: int = 0


@dataclass(frozen=True)
class Answer:
    """An accepted request: its prompt fits. Iterate `events` or await `whole`, once."""

    loaded: Loaded
    prompt: Sequence[int]
    body: schema.Generate
    style: Style
    default_max_tokens: int
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[str]]:
        """Stream the answer as server-sent events; an error on the way is the last event."""
        async with self._pieces() as pieces, aclosing(self._events(pieces)) as events:
            yield events

    async def whole(self) -> Json:
        """Return the answer at once."""
        choices: dict[int, list[Piece]] = {number: [] for number in range(self.body.n)}
        failure: PhialError | None = None
        async with self._pieces() as pieces:
            try:
                async for piece in pieces:
                    choices[piece.choice].append(piece)
            except PhialError as error:  # raised outside, or the task group would wrap it
                failure = error
        if failure:
            raise failure
        every = [piece for grown in choices.values() for piece in grown]
        return {
            **self._head(self.style.whole_object),
            "choices": [self._whole_choice(number, grown) for number, grown in choices.items()],
            "usage": self._usage(every),
        }

    async def _events(self, pieces: AsyncIterator[Piece]) -> AsyncGenerator[str, None]:
        head = self._head(self.style.chunk_object)
        seen: list[Piece] = []
        try:
            async for piece in pieces:
                seen.append(piece)
                yield event({**head, "choices": [self._chunk_choice(piece)]})
        except PhialError as error:
            yield event(
                {"error": {"message": str(error), "type": "server_error", "code": error.code, "param": None}}
            )
            return
        if self.body.stream_options.include_usage:
            yield event({**head, "choices": [], "usage": self._usage(seen)})
        yield "data: [DONE]\n\n"

    @asynccontextmanager
    async def _pieces(self) -> AsyncIterator[AsyncIterator[Piece]]:
        """Generate all choices together, once the first has read the prompt: the cache gives it to the others."""
        send, receive = anyio.create_memory_object_stream[Piece | PhialError](math.inf)
        prompt_read = anyio.Event()
        with ExitStack() as streams:  # a task that is cancelled before its first step closes nothing
            sends = [streams.enter_context(send.clone()) for _ in range(self.body.n)]
            send.close()
            streams.enter_context(receive)
            async with anyio.create_task_group() as tasks:
                for number, choice in enumerate(sends):
                    tasks.start_soon(self._generate, number, prompt_read, choice)
                async with aclosing(_raising(receive)) as pieces:
                    yield pieces
                tasks.cancel_scope.cancel()

    async def _generate(
        self, number: int, prompt_read: anyio.Event, send: MemoryObjectSendStream[Piece | PhialError]
    ) -> None:
        if number:
            await prompt_read.wait()
        decoding = self.body.decoding(number, self.default_max_tokens)
        tokenizer = self.loaded.backend.tokenizer
        text, stops = TextStream(tokenizer, self.prompt), StopStrings(self.body.stop)
        with send:
            try:
                async with self.loaded.scheduler.generate(
                    self.prompt, decoding, self.body.priority
                ) as answer:
                    async for batch in answer:
                        prompt_read.set()
                        shown = "".join(
                            stops.push(text.push(token.id)) for token in batch if not stops.stopped
                        )
                        if stops.stopped:
                            answer.complete = True
                            send.send_nowait(Piece(number, shown, batch, "stop", answer.cached_tokens))
                            return
                        send.send_nowait(Piece(number, shown, batch))
                    rest = stops.push(text.flush())
                    send.send_nowait(
                        Piece(number, rest + stops.flush(), (), answer.finish_reason, answer.cached_tokens)
                    )
            except PhialError as error:
                send.send_nowait(error)
            finally:
                prompt_read.set()

    def _head(self, kind: str) -> Json:
        return {
            "id": f"{self.style.id_prefix}-{self.id}",
            "object": kind,
            "created": int(time.time()),
            "model": self.loaded.backend.card.id,
        }

    def _whole_choice(self, number: int, pieces: Sequence[Piece]) -> Json:
        tokens = [token for piece in pieces for token in piece.tokens]
        return {
            "index": number,
            **self.style.whole("".join(piece.text for piece in pieces)),
            "logprobs": self._logprobs(tokens),
            "finish_reason": pieces[-1].finish_reason,
        }

    def _chunk_choice(self, piece: Piece) -> Json:
        return {
            "index": piece.choice,
            **self.style.chunk(piece.text),
            "logprobs": self._logprobs(piece.tokens),
            "finish_reason": piece.finish_reason,
        }

    def _logprobs(self, tokens: Sequence[Token]) -> Json | None:
        if not self.style.wants_logprobs or any(token.logprob is None for token in tokens):
            return None
        return self.style.logprobs(self.loaded.backend.tokenizer, tokens)

    def _usage(self, pieces: Sequence[Piece]) -> Json:
        generated = sum(len(piece.tokens) for piece in pieces)
        cached = [piece.cached_tokens for piece in pieces if piece.finish_reason and piece.choice == 0]
        return {
            "prompt_tokens": len(self.prompt),
            "completion_tokens": generated,
            "total_tokens": len(self.prompt) + generated,
            "prompt_tokens_details": {"cached_tokens": sum(cached)},
        }


@dataclass(frozen=True)
class Style:
    """How one of the two routes words an answer."""

    id_prefix: str
    whole_object: str
    chunk_object: str
    whole: Callable[[str], Json]
    chunk: Callable[[str], Json]
    logprobs: Callable[[Tokenizer, Sequence[Token]], Json]
    wants_logprobs: bool


def chat(loaded: Loaded, body: schema.ChatCompletions) -> Answer:
    """Accept `POST /v1/chat/completions`. Raises `UsageError` and `PromptTooLong`."""
    prompt = template.encode_chat(
        loaded.backend.tokenizer,
        [message.plain() for message in body.messages],
        add_generation_prompt=body.opens_turn(),
        continue_final_message=body.continue_final_message,
    )
    style = Style(
        id_prefix="chatcmpl",
        whole_object="chat.completion",
        chunk_object="chat.completion.chunk",
        whole=lambda text: {"message": {"role": "assistant", "content": text, "refusal": None}},
        chunk=lambda text: {"delta": {"role": "assistant", "content": text}},
        logprobs=_chat_logprobs,
        wants_logprobs=bool(body.logprobs),
    )
    if body.max_completion_tokens:
        body = body.model_copy(update={"max_tokens": body.max_completion_tokens})
    return _accepted(loaded, prompt, body, style, default_max_tokens=loaded.backend.card.max_model_len)


def text(loaded: Loaded, body: schema.Completions) -> Answer:
    """Accept `POST /v1/completions`. Raises `UsageError` and `PromptTooLong`."""
    style = Style(
        id_prefix="cmpl",
        whole_object="text_completion",
        chunk_object="text_completion",
        whole=lambda text: {"text": text},
        chunk=lambda text: {"text": text},
        logprobs=_text_logprobs,
        wants_logprobs=body.logprobs is not None,
    )
    # OpenAI's default for this route is 16 tokens.
    return _accepted(loaded, _text_prompt(loaded, body), body, style, default_max_tokens=16)


def tokens(loaded: Loaded, body: schema.Tokenize) -> list[int]:
    """Return the tokens of a prompt or of messages, as the two routes would encode them."""
    tokenizer = loaded.backend.tokenizer
    if body.messages is not None:
        return template.encode_chat(
            tokenizer,
            [message.plain() for message in body.messages],
            add_generation_prompt=body.add_generation_prompt and not body.continue_final_message,
            continue_final_message=body.continue_final_message,
        )
    if body.prompt is None:
        raise UsageError("Give `prompt` or `messages`.")
    return template.encode_text(tokenizer, body.prompt)


def event(data: object) -> str:
    """Return a server-sent event with JSON data."""
    return f"data: {json.dumps(data)}\n\n"


def _accepted(
    loaded: Loaded, prompt: Sequence[int], body: schema.Generate, style: Style, *, default_max_tokens: int
) -> Answer:
    loaded.scheduler.check(prompt)
    return Answer(loaded, prompt, body, style, default_max_tokens)


def _text_prompt(loaded: Loaded, body: schema.Completions) -> list[int]:
    if isinstance(body.prompt, list):
        if body.suffix is not None:
            raise UsageError("`suffix` needs a `prompt` that is text.")
        if max(body.prompt, default=0) >= loaded.backend.tokenizer.size:
            raise UsageError(f"`prompt`: token ids go up to {loaded.backend.tokenizer.size - 1}.")
        return body.prompt
    if body.suffix is None:
        return template.encode_text(loaded.backend.tokenizer, body.prompt)
    card = loaded.backend.card
    if card.fill_in_middle is None:
        raise UsageError(f"{card.id} cannot fill in the middle: send no `suffix`, or use another model.")
    return template.encode_fill_in_middle(
        loaded.backend.tokenizer, card.fill_in_middle, body.prompt, body.suffix
    )


def _chat_logprobs(tokenizer: Tokenizer, tokens: Sequence[Token]) -> Json:
    texts = [tokenizer.decode([token.id]) for token in tokens]
    return {
        "content": [
            {"token": text, "logprob": token.logprob, "bytes": list(text.encode()), "top_logprobs": []}
            for text, token in zip(texts, tokens, strict=True)
        ],
        "refusal": None,
    }


def _text_logprobs(tokenizer: Tokenizer, tokens: Sequence[Token]) -> Json:
    return {
        "tokens": [tokenizer.decode([token.id]) for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": None,
        "text_offset": [],
    }


async def _raising(received: MemoryObjectReceiveStream[Piece | PhialError]) -> AsyncGenerator[Piece, None]:
    async for item in received:
        if isinstance(item, PhialError):
            raise item
        yield item
