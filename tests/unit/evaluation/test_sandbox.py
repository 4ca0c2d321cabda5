"""What a model has written cannot run for ever, eat the memory, reach the network or change a file."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluation import sandbox, sources
from evaluation.sandbox import Limits
from unit.evaluation.made import install

QUICK = Limits(cpu_seconds=1, wall_seconds=20.0, memory_bytes=500_000_000)

DOCTESTS = [*sandbox.PYTHON, str(sandbox.INSIDE / "doctests.py")]


@pytest.fixture(params=["as it is", "without namespaces"])
def isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without namespaces":
        monkeypatch.setattr(sandbox, "has_namespaces", lambda: False)
    elif not sandbox.has_namespaces():
        pytest.skip("this system gives no process a network of its own")


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A server on this machine that is ready to be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def somebody_came(server: socket.socket) -> bool:
    try:
        connection, _ = server.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True


def examined(tmp_path: Path, body: str, limits: Limits = QUICK) -> Any:
    """Run the doctest of `f`, which passes when it returns 1 without an exception."""
    folder = tmp_path / "package"
    folder.mkdir(exist_ok=True)
    (folder / "thing.py").write_text("raise RuntimeError('the file itself is not run')")
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    job = {
        "paths": [str(folder)],
        "module": "thing",
        "function": "f",
        "tests": ">>> f()\n1\n",
        "source": f"def f():\n{lines}\n    return 1\n",
    }
    return sandbox.run(DOCTESTS, job, limits)


@pytest.mark.usefixtures("isolation")
def test_what_is_well_passes(tmp_path: Path) -> None:
    assert examined(tmp_path, "pass") == {"passed": True, "why": ""}
    assert examined(tmp_path, "return 2")["passed"] is False


def test_an_endless_loop_ends(tmp_path: Path) -> None:
    began = time.monotonic()
    assert examined(tmp_path, "while True: pass") is None
    assert time.monotonic() - began < QUICK.wall_seconds


def test_one_that_waits_ends(tmp_path: Path) -> None:
    assert examined(tmp_path, "import time; time.sleep(600)", Limits(wall_seconds=1.5)) is None


def test_memory(tmp_path: Path) -> None:
    assert examined(tmp_path, "data = bytearray(100_000_000)")["passed"] is True
    assert examined(tmp_path, "data = bytearray(600_000_000)")["passed"] is False


@pytest.mark.usefixtures("isolation")
def test_no_socket(tmp_path: Path, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
    assert examined(tmp_path, connect)["passed"] is False
    swallowed = f"try:\n    {connect}\nexcept Exception: pass"
    assert examined(tmp_path, swallowed)["passed"] is True
    assert not somebody_came(listening)


def test_a_network_of_its_own_has_nobody(listening: socket.socket) -> None:
    if not sandbox.has_namespaces():
        pytest.skip("this system gives no process a network of its own")
    port = listening.getsockname()[1]
    code = f"import socket, json; print(json.dumps(socket.socket().connect_ex(('127.0.0.1', {port}))))"
    assert sandbox.run([*sandbox.PYTHON, "-c", code], {}, QUICK) != 0
    assert not somebody_came(listening)


@pytest.mark.usefixtures("isolation")
@pytest.mark.parametrize(
    "code",
    [
        "open({path!r}, 'w').close()",
        "open({path!r}, 'a').close()",
        "import os; os.remove({path!r})",
        "import os; os.rename({path!r}, {path!r} + '2')",
        "import shutil, os; shutil.rmtree(os.path.dirname({path!r}))",
        "import os; os.system('rm ' + {path!r})",
        "import subprocess; subprocess.run(['rm', {path!r}])",
    ],
)
def test_no_change_outside(tmp_path: Path, code: str) -> None:
    precious = tmp_path / "precious" / "file"
    precious.parent.mkdir()
    precious.write_text("precious")
    assert examined(tmp_path, code.format(path=str(precious)))["passed"] is False
    assert precious.read_text() == "precious"


def test_its_own_folder_is_free(tmp_path: Path) -> None:
    assert examined(tmp_path, "open('file', 'w').write('x')\nimport os\nos.remove('file')")["passed"] is True


@pytest.mark.parametrize(
    "code", ["import os; os._exit(0)", "raise SystemExit", "print('{\"passed\": true}')\nx"]
)
def test_an_end_without_a_verdict_is_no_pass(tmp_path: Path, code: str) -> None:
    verdict = examined(tmp_path, code)
    assert verdict is None or verdict["passed"] is False


def test_node_has_no_process_and_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evaluation import javascript
    from unit.evaluation.made import JAVASCRIPT, javascript_function

    monkeypatch.setattr(sources, "CACHE", tmp_path)
    monkeypatch.setattr(javascript, "_LIMITS", Limits(cpu_seconds=2, memory_bytes=0))
    install(tmp_path)
    for code in ("process.exit(0);", "require('fs');", "while (true);"):
        spoiled = JAVASCRIPT.replace("  var result = {};", f"  var result = {{}}; {code}")
        verdict = javascript.examine(javascript_function(), spoiled)
        assert verdict is None or verdict["passed"] is False, json.dumps(verdict)
