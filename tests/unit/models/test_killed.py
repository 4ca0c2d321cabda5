"""Processes killed while they change the models: what is left is sound, and the next one goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phial.errors import ModelError
from phial.models import hub as product
from phial.models import store
from phial.models.snapshot import Patience
from support.hub import INFO, Fault, Hub
from support.stored import ENTRY, NEEDED, install, names

PULL = f"from phial.models.pull import pull; pull({ENTRY.id!r}, lambda now: print(now.stage, now.done, flush=True))"
LARGE = "openvino_model.bin"

KILLED_AT = """
import os, sys

number, code, home = int(sys.argv[1]), sys.argv[2], os.environ["PHIAL_HOME"]
changes = 0

def count(event, arguments):
    global changes
    written = event == "open" and str(arguments[0]).startswith(home) and set(arguments[1] or "") & set("wax+")
    if written or event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir"):
        changes += 1
        if changes == number:
            os.kill(os.getpid(), 9)

sys.addaudithook(count)
exec(code)
"""
"""Runs code in a process that is killed right before its change of that number to the file system."""


def pull() -> None:
    product.pull(ENTRY, lambda _: None, Patience(answer=5, pauses=()))


def check_store() -> None:
    for model in store.installed():
        assert store.verify(model.id) == []


def killed_at(number: int, code: str) -> bool:
    """Run code in a process that is killed at its change of that number; tell whether it came to that."""
    command = [sys.executable, "-c", KILLED_AT, str(number), code]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.stderr == ""
    return process.returncode != 0


@pytest.fixture
def stalled_pull(hub: Hub) -> Iterator[subprocess.Popen[str]]:
    """A pull in a process of its own, in the middle of its largest file."""
    hub.faults[LARGE] = ["stall"]
    with subprocess.Popen([sys.executable, "-c", PULL], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        arrived = sum(len(content) for name, content in NEEDED.items() if name != LARGE)
        half = arrived + len(NEEDED[LARGE]) // 2
        while f"downloading {half}" not in process.stdout.readline():
            assert process.poll() is None
        yield process
        process.kill()


def test_a_pull_killed_in_a_file_goes_on_within_it(hub: Hub, stalled_pull: subprocess.Popen[str]) -> None:
    stalled_pull.kill()
    stalled_pull.wait()
    assert store.installed() == []
    hub.requests.clear()

    pull()

    assert store.verify(ENTRY.id) == []
    [asked] = {request.headers.get("Range", "") for request in hub.requests if "/large/" in request.path}
    assert 0 < int(asked.removeprefix("bytes=").removesuffix("-")) <= len(NEEDED[LARGE]) // 2
    assert {Path(request.path).name for request in hub.requests} == {"main", LARGE}


def test_while_a_model_is_fetched_none_is_removed(stalled_pull: subprocess.Popen[str]) -> None:
    with pytest.raises(ModelError, match=r"being fetched.*Wait for that to end"):
        store.remove(ENTRY.id)


def test_what_arrived_of_a_model_can_be_removed(
    stalled_pull: subprocess.Popen[str], empty_store: Path
) -> None:
    stalled_pull.kill()
    stalled_pull.wait()
    assert names(empty_store / ".downloads") == [ENTRY.id]

    store.remove(ENTRY.id)

    assert names(empty_store / ".downloads") == []


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        pytest.param(INFO, "silence", id="while it finds the files"),
        pytest.param("config.json", "stall", id="in the first files"),
        pytest.param(LARGE, "silence", id="between two files"),
    ],
)
def test_a_killed_pull_leaves_nothing_that_looks_installed(hub: Hub, name: str, fault: Fault) -> None:
    hub.faults[name] = [fault]
    with subprocess.Popen([sys.executable, "-c", PULL], stdout=subprocess.DEVNULL) as process:
        assert hub.stalled.wait(60)
        process.kill()
    assert store.installed() == []

    pull()

    assert store.verify(ENTRY.id) == []


def test_a_pull_killed_again_and_again_gets_there(hub: Hub) -> None:
    kills = 0
    while killed_at(3 + 8 * kills, PULL):
        kills += 1
        check_store()

    assert kills > 2
    assert store.verify(ENTRY.id) == []


INSTALL = "import sys; sys.path[:0] = {path!r}; from support.stored import install; install('phi')"


def test_an_install_killed_at_any_point_is_whole_or_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = INSTALL.format(path=[str(Path(__file__).parents[2])])
    number, outcomes = 1, []
    while True:
        monkeypatch.setenv("PHIAL_HOME", str(tmp_path / f"home {number}"))
        killed = killed_at(number, code)
        check_store()
        outcomes.append([model.id for model in store.installed()])
        if not killed:
            break
        install("phi")
        assert store.verify("phi") == []
        number += 1

    assert outcomes[0] == []
    assert outcomes[-1] == ["phi"]
    assert number > 6


def test_a_remove_killed_at_any_point_leaves_whole_models(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = "from phial.models import store; store.remove('phi')"
    number, outcomes = 1, []
    while True:
        monkeypatch.setenv("PHIAL_HOME", str(tmp_path / f"home {number}"))
        install("phi")
        install("other")
        killed = killed_at(number, code)
        check_store()
        outcomes.append([model.id for model in store.installed()])
        if not killed:
            break
        install("third")
        assert [name for name in names(store.resolve("other").folder.parent) if "partial" in name] == []
        number += 1

    assert outcomes[0] == ["other", "phi"]
    assert outcomes[-1] == ["other"]
    assert number > 6


def test_a_choice_killed_at_any_point_is_the_old_or_the_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = "from phial.models import store; store.use('phi')"
    number, outcomes = 1, []
    while True:
        monkeypatch.setenv("PHIAL_HOME", str(tmp_path / f"home {number}"))
        install("phi")
        install("other")
        store.use("other")
        killed = killed_at(number, code)
        outcomes.append(store.resolve("").id)
        store.use("phi")
        assert store.resolve("").id == "phi"
        if not killed:
            break
        number += 1

    assert outcomes == ["other"] * (number - 1) + ["phi"]
    assert number > 2
