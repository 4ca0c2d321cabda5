from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from phial.errors import EngineError, OutOfMemory, PhialError
from phial.host.app import create_app
from phial.host.backend import Backend
from phial.host.host import Host
from phial.models.store import Model
from support.fake_backend import CARD, FakeBackend
from support.fake_generation import LOGPROB

MODEL = Model("fake", "Fake model", Path(), 1000, starter=False)
TOKEN = "secret"
CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
ROUTES = [
    *(("GET", "/v1/models"), ("POST", CHAT), ("POST", TEXT), ("POST", "/tokenize")),
    *(("GET", "/health"), ("GET", "/metrics"), ("GET", "/lease"), ("POST", "/shutdown")),
]


def loading(*_: object) -> Backend:
    raise AssertionError("nobody runs this host")


def client(host: Host) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(create_app(host, token=TOKEN)),
        base_url="http://127.0.0.1:4711",
        headers={"authorization": f"Bearer {TOKEN}"},
    )


async def until(host: Host, status: str) -> None:
    while host.health()["status"] != status:
        await host.changed.wait()


@asynccontextmanager
async def ready(backend: FakeBackend) -> AsyncIterator[Host]:
    """Run a host whose model is loaded."""
    host = Host(MODEL, "CPU", load=lambda *_: backend)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.run)
        await until(host, "ready")
        yield host
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def serving(backend: FakeBackend) -> AsyncIterator[httpx2.AsyncClient]:
    async with ready(backend) as host, client(host) as http:
        yield http


def asking(question: object = "chat", **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}], **fields}


def events(response: httpx2.Response) -> list[Any]:
    """Return the data of all events but the last one, which ends them."""
    assert response.headers["content-type"].startswith("text/event-stream")
    *blocks, rest = response.text.split("\n\n")
    assert rest == ""
    assert all(block.startswith("data: ") for block in blocks)
    data = [block.removeprefix("data: ") for block in blocks]
    assert data[-1] == "[DONE]"
    return [json.loads(item) for item in data[:-1]]


def error_of(response: httpx2.Response) -> dict[str, Any]:
    body = response.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"message", "type", "code", "param"}
    return dict(body["error"])


# Who may ask


async def first_response(method: str, path: str, **headers: str) -> httpx2.Response:
    headers = {"authorization": f"Bearer {TOKEN}"} | headers
    async with client(Host(MODEL, "CPU", load=loading)) as http:
        response: httpx2.Response = await http.request(method, path, headers=headers)
        return response


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_the_token_nothing_is_told(method: str, path: str) -> None:
    response = await first_response(method, path, authorization="")
    assert response.status_code == 401
    assert error_of(response)["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer wrong", "secret", "Bearer secret ", "Basic secret"]
)
async def test_only_the_whole_token_will_do(authorization: str) -> None:
    assert (await first_response("GET", "/health", authorization=authorization)).status_code == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_request_for_another_address_is_refused(method: str, path: str) -> None:
    response = await first_response(method, path, host="evil.example:4711")
    assert response.status_code == 400
    assert error_of(response)["code"] == "wrong_host"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:4711", 200),
        ("localhost:4711", 200),
        ("", 400),
        ("evil.example", 400),
        ("127.0.0.1.evil.example:4711", 400),
        ("127.0.0.1@evil.example:4711", 400),
    ],
)
async def test_this_machine_has_two_names(host: str, status: int) -> None:
    assert (await first_response("GET", "/health", host=host)).status_code == status


# The model's life


async def test_while_the_model_loads_requests_are_put_off_and_the_stage_is_told() -> None:
    backend = FakeBackend({"chat": "Hi"})
    may_end = threading.Event()

    def load(_: Model, __: str, progress: Callable[[str, float], None]) -> Backend:
        progress("compiling", 0.5)
        may_end.wait()
        return backend

    host = Host(MODEL, "CPU", load=load)
    async with anyio.create_task_group() as tasks, client(host) as http:
        tasks.start_soon(host.run)
        try:
            while host.health()["stage"] != "compiling":
                await host.changed.wait()
            for path, body in ((CHAT, asking()), (TEXT, {"prompt": "chat"})):
                refused = await http.post(path, json=body)
                assert refused.status_code == 503
                assert error_of(refused) == {
                    "message": "Fake model is loading: compiling. Try again in a moment.",
                    "type": "server_error",
                    "code": "loading",
                    "param": None,
                }
            assert (await http.get("/v1/models")).status_code == 503
            health = (await http.get("/health")).json()
            assert (health["status"], health["stage"], health["fraction"]) == ("loading", "compiling", 0.5)
        finally:
            may_end.set()
        await until(host, "ready")
        assert (await http.post(CHAT, json=asking())).status_code == 200
        tasks.cancel_scope.cancel()
    assert backend.closed


@pytest.mark.parametrize(
    ("raised", "status", "code", "message"),
    [
        (OutOfMemory("It is too large."), 503, "out_of_memory", "It is too large. Close other programs"),
        (RuntimeError("bad magic"), 500, "host_failed", "Fake model could not be loaded: bad magic."),
    ],
)
async def test_a_model_that_cannot_be_loaded_tells_why(
    raised: Exception, status: int, code: str, message: str
) -> None:
    def load(*_: object) -> Backend:
        raise raised

    host = Host(MODEL, "CPU", load=load)
    await host.run()
    async with client(host) as http:
        health = (await http.get("/health")).json()
        refused = await http.post(CHAT, json=asking())
    assert (health["status"], health["error"]["code"]) == ("failed", code)
    assert refused.status_code == status
    assert error_of(refused)["code"] == code
    assert error_of(refused)["message"].startswith(message)


async def test_the_model_is_described() -> None:
    async with serving(FakeBackend({})) as http:
        [model] = (await http.get("/v1/models")).json()["data"]
    assert model.pop("created") > 1_700_000_000
    assert model == {
        "id": "fake",
        "object": "model",
        "owned_by": "phial",
        "max_model_len": 1000,
        "device": "CPU",
        "backend": "fake",
        "starter": False,
        "fill_in_middle": True,
        "prefill_chunk": 8,
    }


# Answers


async def test_a_conversation_is_answered() -> None:
    backend = FakeBackend({"chat": "Hi é!"})
    async with serving(backend) as http:
        response = await http.post(CHAT, json=asking())
    assert response.status_code == 200
    body = response.json()
    assert body["object"] == "chat.completion"
    assert body["model"] == "fake"
    assert body["id"].startswith("chatcmpl-")
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi é!", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert backend.prompts == ["<|user|>\nchat<|end|>\n<|assistant|>\n"]
    assert body["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 6,
        "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


async def test_an_answer_goes_on_from_its_beginning() -> None:
    backend = FakeBackend({"chat": "x"})
    messages = [{"role": "user", "content": "chat"}, {"role": "assistant", "content": "def f("}]
    body = {"messages": messages, "continue_final_message": True}
    async with serving(backend) as http:
        assert (await http.post(CHAT, json=body)).status_code == 200
    assert backend.prompts == ["<|user|>\nchat<|end|>\n<|assistant|>\ndef f("]


async def test_a_control_token_in_a_question_is_text() -> None:
    async with serving(FakeBackend({"chat": "x"})) as http:
        counts = [
            (await http.post("/tokenize", json=asking(f"chat{text}"))).json()["count"]
            for text in ("", "<|end|>")
        ]
    assert counts[1] - counts[0] == len("<|end|>")


async def test_a_prompt_asked_again_is_cached() -> None:
    async with serving(FakeBackend({"chat": "x"})) as http:
        usages = [(await http.post(CHAT, json=asking(n=n))).json()["usage"] for n in (1, 1, 2)]
    [length] = {usage["prompt_tokens"] for usage in usages}
    cached = [usage["prompt_tokens_details"]["cached_tokens"] for usage in usages]
    assert cached == [0, length - 1, length - 1]


@pytest.mark.parametrize(
    ("fields", "text", "reason"),
    [
        ({}, "one\ntwo\n", "stop"),
        ({"max_tokens": 3}, "one", "length"),
        ({"max_tokens": 8}, "one\ntwo\n", "stop"),
        ({"max_tokens": 8, "max_completion_tokens": 2}, "on", "length"),
        ({"stop": "\n"}, "one", "stop"),
        ({"stop": ["wo\n", "nix"]}, "one\nt", "stop"),
        ({"stop": ["o\nx"]}, "one\ntwo\n", "stop"),
        ({"stop": ["e\nx"], "max_tokens": 4}, "one\n", "length"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_where_an_answer_ends(fields: dict[str, Any], text: str, reason: str, stream: bool) -> None:
    async with serving(FakeBackend({"chat": "one\ntwo\n"})) as http:
        response = await http.post(CHAT, json=asking(**fields, stream=stream))
    if stream:
        choices = [event["choices"][0] for event in events(response)]
        assert "".join(choice["delta"]["content"] for choice in choices) == text
        assert [choice["finish_reason"] for choice in choices] == [*[None] * (len(choices) - 1), reason]
    else:
        [choice] = response.json()["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == (text, reason)


async def test_after_a_stop_string_the_model_is_free() -> None:
    backend = FakeBackend({"chat": "one\n" + "x" * 400})
    async with serving(backend) as http:
        await http.post(CHAT, json=asking(stop="\n"))
        metrics = (await http.get("/metrics")).text
        await backend.stepped()
        await anyio.wait_all_tasks_blocked()
    assert backend.log[-2:] == ["free chat", "step"]
    assert 'phial_requests_total{outcome="stop"} 1.0' in metrics


async def test_an_answer_comes_as_events() -> None:
    body = asking(stream=True, stream_options={"include_usage": True})
    async with serving(FakeBackend({"chat": "aé"})) as http:
        *pieces, usage = events(await http.post(CHAT, json=body))
    assert {(piece["object"], piece["model"]) for piece in [*pieces, usage]} == {
        ("chat.completion.chunk", "fake")
    }
    assert len({piece["id"] for piece in [*pieces, usage]}) == 1
    deltas = [piece["choices"][0]["delta"] for piece in pieces]
    assert deltas == [{"role": "assistant", "content": text} for text in ("a", "", "é", "")]
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == 3


async def test_no_usage_comes_unasked() -> None:
    async with serving(FakeBackend({"chat": "a"})) as http:
        assert all(event["choices"] for event in events(await http.post(CHAT, json=asking(stream=True))))


async def test_each_token_has_its_probability() -> None:
    async with serving(FakeBackend({"chat": "aé"})) as http:
        response = await http.post(CHAT, json=asking(logprobs=True))
        streamed = events(await http.post(CHAT, json=asking(logprobs=True, stream=True)))
    whole = response.json()["choices"][0]["logprobs"]["content"]
    assert [token["logprob"] for token in whole] == [LOGPROB] * 3
    assert whole[0] == {"token": "a", "logprob": LOGPROB, "bytes": [97], "top_logprobs": []}
    assert [token for event in streamed for token in event["choices"][0]["logprobs"]["content"]] == whole


@pytest.mark.parametrize("stream", [False, True])
async def test_several_choices_are_made_from_one_prompt(stream: bool) -> None:
    backend = FakeBackend({"chat": "abc"})
    body = asking(n=3, seed=7, temperature=1.0, stream=stream, stream_options={"include_usage": True})
    async with serving(backend) as http:
        response = await http.post(CHAT, json=body)
    texts = dict.fromkeys(range(3), "")
    if stream:
        *pieces, last = events(response)
        for piece in pieces:
            texts[piece["choices"][0]["index"]] += piece["choices"][0]["delta"]["content"]
        usage = last["usage"]
    else:
        texts = {choice["index"]: choice["message"]["content"] for choice in response.json()["choices"]}
        usage = response.json()["usage"]
    assert texts == dict.fromkeys(range(3), "abc")
    assert usage["completion_tokens"] == 9
    assert sorted(decoding.seed for decoding in backend.decodings) == [7, 8, 9]
    assert {decoding.temperature for decoding in backend.decodings} == {1.0}


async def test_the_other_choices_wait_until_the_first_has_read_the_prompt() -> None:
    backend = FakeBackend({"chat": "abc"})
    async with serving(backend) as http:
        await http.post(CHAT, json=asking("chat" + "." * 40, n=3, max_tokens=4))
    prefill = -(-len(backend.tokenizer.encode(backend.prompts[0])) // CARD.prefill_chunk)
    assert backend.log[: prefill + 3] == [
        *("start chat", *["step chat"] * prefill),
        *("start chat", "start chat"),
    ]


async def test_the_regular_expression_reaches_the_model() -> None:
    backend = FakeBackend({"chat": "a"})
    async with serving(backend) as http:
        await http.post(CHAT, json=asking(structured_outputs={"regex": "a+"}))
    assert [decoding.regex for decoding in backend.decodings] == ["a+"]


# Plain text


@pytest.mark.parametrize(
    ("body", "prompt"),
    [
        ({"prompt": "text"}, "<|begin|>text"),
        ({"prompt": list(b"text")}, "text"),
        ({"prompt": "text(", "suffix": ")"}, "<|prefix|>text(<|suffix|>)<|middle|>"),
    ],
)
async def test_a_text_goes_on(body: dict[str, Any], prompt: str) -> None:
    backend = FakeBackend({"text": "x" * 20})
    async with serving(backend) as http:
        response = (await http.post(TEXT, json={**body, "logprobs": 1})).json()
    [choice] = response["choices"]
    assert response["object"] == "text_completion"
    assert (choice["text"], choice["finish_reason"]) == ("x" * 16, "length")  # OpenAI's default
    assert choice["logprobs"]["tokens"] == ["x"] * 16
    assert choice["logprobs"]["token_logprobs"] == [LOGPROB] * 16
    assert backend.prompts == [prompt]


async def test_a_text_comes_as_events() -> None:
    async with serving(FakeBackend({"text": "ab"})) as http:
        pieces = events(await http.post(TEXT, json={"prompt": "text", "stream": True}))
    assert [piece["choices"][0]["text"] for piece in pieces] == ["a", "b", ""]
    assert {piece["object"] for piece in pieces} == {"text_completion"}


async def test_tokens_are_counted_as_they_would_be_sent() -> None:
    async with serving(FakeBackend({})) as http:
        text = (await http.post("/tokenize", json={"prompt": "ab"})).json()
        chat = (await http.post("/tokenize", json=asking("ab"))).json()
        body = {"messages": [{"role": "assistant", "content": "ab"}], "continue_final_message": True}
        going_on = (await http.post("/tokenize", json=body)).json()
    assert text == {"count": 3, "max_model_len": 1000, "tokens": [256, 97, 98]}
    assert (chat["count"], going_on["count"]) == (8, 4)


# Refusals


@pytest.mark.parametrize(
    ("path", "body", "parameter", "message"),
    [
        (CHAT, b"{", "body", "`body`: Invalid JSON"),
        (CHAT, b"[]", "body", "`body`: "),
        (CHAT, {}, "messages", "`messages`: Field required."),
        (
            CHAT,
            {"messages": [{"role": "user"}]},
            "messages.0.content",
            "`messages.0.content`: Field required.",
        ),
        (CHAT, asking(7), "messages.0.content", "`messages.0.content`: Input should be a valid string."),
        (CHAT, asking([{"type": "image_url"}]), "messages.0.content", "`messages.0.content`: "),
        (CHAT, asking({"text": "x"}), "messages.0.content", "`messages.0.content`: "),
        (CHAT, asking(stop=["x", 7]), "stop.1", "`stop.1`: Input should be a valid string."),
        (TEXT, {"prompt": [-1]}, "prompt", "`prompt`: "),
        (CHAT, b'{"messages": [], "n": ' + b"9" * 5000 + b"}", "body", "`body`: Invalid JSON"),
        (CHAT, asking(n=0), "n", "`n`: Input should be greater than or equal to 1."),
        (
            CHAT,
            asking(structured_outputs={"regex": "(?=a)b"}),
            "structured_outputs.regex",
            "`structured_outputs.regex`: may have classes, groups,",
        ),
        (
            CHAT,
            asking(continue_final_message=True),
            None,
            "continue_final_message needs an assistant message",
        ),
        (CHAT, asking("x" * 2000), None, "The prompt has 2006 tokens, and the model takes 1000"),
        (CHAT, asking("x" * 2000, stream=True), None, "The prompt has 2006 tokens, and the model takes 1000"),
        (TEXT, {"prompt": [264]}, None, "`prompt`: token ids go up to 263."),
        (TEXT, {"prompt": [1], "suffix": "x"}, None, "`suffix` needs a `prompt` that is text."),
        (TEXT, {"prompt": []}, None, "The prompt is empty."),
        ("/tokenize", {}, None, "Give `prompt` or `messages`."),
    ],
)
async def test_a_bad_request_says_what_is_wrong_with_it(
    path: str, body: object, parameter: str | None, message: str
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with serving(FakeBackend({})) as http:
        response = await http.post(path, content=content)
    assert response.status_code == 400
    error = error_of(response)
    assert error["message"].startswith(message)
    assert (error["type"], error["param"]) == ("invalid_request_error", parameter)
    assert error["code"] == ("context_length_exceeded" if "2006" in message else "invalid_request")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("POST", "/v1/embeddings", 404, "not_found"),
        ("GET", CHAT, 405, "method_not_allowed"),
        ("POST", "/health", 405, "method_not_allowed"),
    ],
)
async def test_a_route_that_is_not_there_is_refused_as_clients_expect(
    method: str, path: str, status: int, code: str
) -> None:
    response = await first_response(method, path)
    assert response.status_code == status
    error = error_of(response)
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, None)
    assert error["message"] == f"There is no route {method} {path}."
    assert ("allow" in response.headers) is (status == 405)


async def test_a_model_without_the_tokens_for_it_cannot_fill_a_gap() -> None:
    async with serving(FakeBackend({}, replace(CARD, fill_in_middle=None))) as http:
        response = await http.post(TEXT, json={"prompt": "a", "suffix": "b"})
        [model] = (await http.get("/v1/models")).json()["data"]
    assert response.status_code == 400
    assert "fake cannot fill in the middle" in error_of(response)["message"]
    assert model["fill_in_middle"] is False


@pytest.mark.parametrize("keep_alive", ["soon", "nan", "inf", "-1"])
async def test_a_lease_needs_a_time(keep_alive: str) -> None:
    async with serving(FakeBackend({})) as http:
        response = await http.get("/lease", params={"keep_alive": keep_alive})
    assert response.status_code == 400
    assert error_of(response)["code"] == "invalid_request"


# Errors of the engine


def failing(error: PhialError) -> FakeBackend:
    backend = FakeBackend({"chat": "ab"})
    backend.errors["chat"] = error
    return backend


async def test_an_error_on_the_way_is_the_last_event() -> None:
    async with serving(failing(EngineError("The model's cache is full."))) as http:
        response = await http.post(CHAT, json=asking(stream=True))
    assert response.status_code == 200
    *pieces, error, rest = response.text.split("\n\n")
    assert rest == ""
    assert len(pieces) == 2
    assert json.loads(error.removeprefix("data: ")) == {
        "error": {
            "message": "The model's cache is full. Try again; if it stays, look at `phial doctor`.",
            "type": "server_error",
            "code": "engine_error",
            "param": None,
        }
    }


@pytest.mark.parametrize("n", [1, 2])
async def test_an_error_on_the_way_to_a_whole_answer_is_its_status(n: int) -> None:
    async with serving(failing(EngineError("The model's cache is full."))) as http:
        response = await http.post(CHAT, json=asking(n=n))
    assert response.status_code == 500
    assert (error_of(response)["type"], error_of(response)["code"]) == ("server_error", "engine_error")


# A client that goes away


async def call(app: Starlette, path: str, body: dict[str, Any], *, leaves_after: int) -> list[bytes]:
    """Send a request over a connection that closes after so many events, and return what came until then."""
    content: list[bytes] = []
    unread = [json.dumps(body).encode()]
    gone = anyio.Event()
    if not leaves_after:
        gone.set()

    async def receive() -> dict[str, Any]:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        content.append(message.get("body", b""))
        if len(content) > leaves_after:
            gone.set()

    headers = [(b"host", b"127.0.0.1:1"), (b"authorization", f"Bearer {TOKEN}".encode())]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return content


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("leaves_after", [0, 1, 3])
@pytest.mark.parametrize("question", ["chat", "chat" + "." * 100])
async def test_who_leaves_a_stream_frees_the_model_in_one_step(
    n: int, leaves_after: int, question: str
) -> None:
    backend = FakeBackend({"chat": "x" * 800})
    async with ready(backend) as host:
        app = create_app(host, token=TOKEN)
        content = await call(app, CHAT, asking(question, stream=True, n=n), leaves_after=leaves_after)
        log = backend.log[:]
        await anyio.wait_all_tasks_blocked()
    assert len(content) <= leaves_after + 2
    assert not any(line.startswith("step chat") for line in backend.log[len(log) :])
    assert [line for line in backend.log if line.startswith("free")] == ["free chat"] * sum(
        line == "start chat" for line in backend.log
    )


async def test_who_leaves_a_whole_answer_frees_the_model_in_one_step() -> None:
    backend = FakeBackend({"chat": "x" * 800})
    async with ready(backend) as host:
        await call(create_app(host, token=TOKEN), CHAT, asking(), leaves_after=0)
        await anyio.wait_all_tasks_blocked()
    assert backend.log[-1] == "step"
    assert backend.log.count("step chat") < 3
