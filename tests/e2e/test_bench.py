"""`phial bench`: a short replay through a real server, and the other parts, with the starter model."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import anyio
import pytest

from phial.bench import recordings
from phial.bench.keystrokes import KINDS
from support.processes import PHIAL, ended, hosts_in


async def test_each_part_prints_its_figures_and_leaves_no_host(
    starter: Path, own_home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out.svg"
    told = await bench(
        *("--model", str(starter), "--device", "CPU", "--keys", "14", "--idle", "0.5", "--cancels", "2"),
        *("--part", "typing", "--part", "idle", "--part", "cancels", "--picture", str(file), "--json"),
    )
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    figures: dict[str, Any] = report["figures"]
    assert figures["keystrokes"]["value"] >= 10 * len(recordings.names())
    assert sum(figures[f"{kind.replace('-', '_')}_answers"]["value"] for kind in KINDS) > 0
    assert 0 <= figures["keystrokes_without_model_call_share"]["value"] < 1
    assert figures["cancel_in_decode_p99_steps"]["value"] >= 0
    assert figures["answer_after_cancels_equal"] == {"value": True, "mustBe": True, "holds": True}
    assert all(figures[f"{name}_memory_megabytes"]["value"] > 20 for name in ("server", "host"))
    assert ET.parse(file).getroot().tag.endswith("svg")
    for left in hosts_in(own_home):  # it lets go of its lock a moment before it ends
        await ended(left)


async def test_a_chat_that_gave_way_says_the_same(starter: Path, own_home: Path) -> None:
    told = await bench("--model", str(starter), "--device", "CPU", "--part", "preemption", "--json")
    assert told.returncode == 0, told.stderr
    figures = json.loads(told.stdout)["figures"]
    assert figures["preempted_chat_text_equal"] == {"value": True, "mustBe": True, "holds": True}


async def test_a_person_sees_a_table_with_limits(starter: Path, own_home: Path) -> None:
    told = await bench(
        *("--model", str(starter), "--device", "CPU", "--part", "idle", "--idle", "0.5", "--soak", "60")
    )
    assert told.returncode == 0, told.stderr
    assert "SmolLM2" in told.stdout.splitlines()[0]
    assert "at most 0.005" in told.stdout
    assert "Growth over a day" in told.stdout
    assert "Typing 60 keys" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("--part", "colour"), "There is no part colour. Choose among speed, typing"),
        (("--against", "chatgpt"), "There is no chatgpt to compare with. Choose optimum or llama.cpp."),
    ],
)
async def test_what_there_is_none_of_is_refused_with_what_there_is(
    arguments: tuple[str, ...], advice: str
) -> None:
    told = await bench(*arguments)
    assert (told.returncode, told.stdout) == (1, "")
    assert advice in told.stderr


async def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    finished = await anyio.run_process([*PHIAL, "bench", *arguments], check=False)
    return subprocess.CompletedProcess(
        finished.args, finished.returncode, finished.stdout.decode(), finished.stderr.decode()
    )
