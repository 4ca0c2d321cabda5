"""The command line, as a person and as a script use it: processes, pipes and exit codes."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from phial.address import HostAddress
from phial.assist import prompts
from phial.assist.prompts import Question
from phial.engine.client import Endpoint, OpenAIEngine
from support.hosts import running_host

QUESTION = "What is a Python list comprehension? Answer in two sentences with one example."
DEMO_TOKENS = 140


@dataclass(frozen=True)
class Run:
    """What a command left: its exit code and what it printed."""

    returncode: int
    stdout: str
    stderr: str


async def phial(*arguments: str, env: dict[str, str] | None = None) -> Run:
    ended = await anyio.run_process([sys.executable, "-m", "phial", *arguments], check=False, env=env)
    return Run(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


@pytest.fixture(scope="module")
async def host(starter: Path) -> AsyncIterator[HostAddress]:
    async with running_host(starter, "AUTO") as address:
        yield address


async def answer_of(host: HostAddress, max_tokens: int) -> str:
    engine = OpenAIEngine(Endpoint(host.url, host.token, local=True))
    request = prompts.question(Question(QUESTION), max_tokens=max_tokens, temperature=0)
    try:
        async with engine.stream(request) as chunks:
            return "".join([chunk.text async for chunk in chunks])
    finally:
        await engine.close()


@pytest.fixture
async def asked(host: HostAddress, starter: Path) -> str:
    """The answer that the host itself gives, once its prefix cache holds the prompt."""
    await answer_of(host, DEMO_TOKENS)
    return await answer_of(host, DEMO_TOKENS)


async def test_the_demo_shows_what_the_host_answers(asked: str, starter: Path) -> None:
    shown = await phial("demo", "--model", str(starter))
    assert shown.returncode == 0, shown.stderr
    question, explanation, completion = (
        shown.stdout.split(heading)[1]
        for heading in (QUESTION, "An explanation of a selection", "A completion while")
    )
    assert question.partition("[first token")[0].strip() == asked.strip()
    assert re.search(
        r"\[first token after \d+\.\d\d s, \d+ tokens/s, \d+ tokens for a prompt of \d+", explanation
    )
    assert re.search(r"return self\.prefix\.rparti«.+»", completion)
    assert re.search(r"\[ghost text after \d+\.\d\d s", completion)
    assert "phial serve" in shown.stdout


async def test_a_script_gets_the_same_answer_as_json(asked: str, starter: Path) -> None:
    answered = await phial("ask", QUESTION, "--json", "--model", str(starter))
    assert answered.returncode == 0, answered.stderr
    told = json.loads(answered.stdout)
    assert told["text"].startswith(asked)
    assert told["finishReason"] in {"stop", "length"}
    assert told["usage"]["promptTokens"] > told["usage"]["cachedTokens"] > 0


async def test_some_lines_are_explained(host: HostAddress, starter: Path, tmp_path: Path) -> None:
    file = tmp_path / "add.py"
    file.write_text("import os\n\n\ndef add(a, b):\n    return a + b\n", encoding="utf-8")
    explained = await phial("explain", str(file), "--lines", "4-5", "--model", str(starter))
    assert explained.returncode == 0, explained.stderr
    assert len(explained.stdout.split()) > 10


async def test_a_line_is_completed(host: HostAddress, starter: Path, tmp_path: Path) -> None:
    file = tmp_path / "add.py"
    file.write_text("def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    retu\n", encoding="utf-8")
    completed = await phial(
        "complete", str(file), "--line", "6", "--column", "9", "--json", "--model", str(starter)
    )
    assert completed.returncode == 0, completed.stderr
    assert json.loads(completed.stdout)["text"].startswith("rn ")


async def test_where_nothing_is_to_complete_the_exit_code_says_so(
    host: HostAddress, starter: Path, tmp_path: Path
) -> None:
    file = tmp_path / "empty.py"
    file.write_text("", encoding="utf-8")
    completed = await phial("complete", str(file), "--line", "1", "--column", "1", "--model", str(starter))
    assert (completed.returncode == 0) == bool(completed.stdout.strip())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ask", "hi", "--model", "nope"), "There is no model nope. Run `phial models list`"),
        (("ask", "hi", "--model", "/no/such/folder"), "There is no folder /no/such/folder."),
        (("explain", "/no/such/file.py"), "cannot be read"),
        (("explain", __file__, "--lines", "9-3"), "The range 9-3 is empty."),
        (("explain", __file__, "--lines", "99999"), "is below its end"),
        (("explain", __file__, "--lines", "x"), "`x` is no range of lines."),
        (("host", "--model", "nope"), "There is no model nope."),
        (("host", "--backend", "nope"), "There is no backend nope."),
        (("bench", "--shape", "nope"), "There is no shape nope."),
    ],
)
async def test_an_error_is_one_clear_sentence(arguments: tuple[str, ...], told: str) -> None:
    failed = await phial(*arguments)
    assert failed.returncode == 1
    assert told in failed.stderr
    assert "Traceback" not in failed.stderr + failed.stdout
    assert failed.stdout == ""


@pytest.mark.parametrize(
    "command",
    [
        *(("serve",), ("host",), ("ask",), ("explain",), ("complete",), ("doctor",), ("demo",), ("bench",)),
        *(("models", name) for name in ("list", "pull", "use", "remove", "path", "verify", "export")),
    ],
    ids=" ".join,
)
async def test_every_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    helped = await phial(*command, "--help")
    assert helped.returncode == 0
    assert f"phial {' '.join(command)}" in helped.stdout.partition("Example")[2]


async def test_the_doctor_tells_that_no_model_is_there(home: Path) -> None:
    told = await phial("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(told.stdout)}
    assert told.returncode == 1
    assert findings["Models"] == {
        "name": "Models",
        "verdict": "wrong",
        "detail": "none is installed",
        "advice": "Run `phial models pull starter`.",
    }
    assert {"Phial", "openvino", "CPU", "Memory", "Disk", "Host", "Default model"} <= findings.keys()


async def test_openvino_reports_to_nobody(tmp_path: Path) -> None:
    # Its reports begin by noting an id in the user's home; it makes none where it thinks that it is tested.
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    told = await phial("doctor", "--json", env={**env, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)})
    assert "CPU" in {finding["name"] for finding in json.loads(told.stdout)}, (
        "OpenVINO was asked for its devices"
    )
    assert not (tmp_path / "intel").exists()
