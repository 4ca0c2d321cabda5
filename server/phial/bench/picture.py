"""A picture of a report: how long keys waited, by how they were answered, and Phial beside others. SVG by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from phial.bench.figures import in_words, percentile
from phial.bench.keystrokes import KINDS
from phial.bench.report import Report

_WIDTH = 720
_LEFT = 150
_RIGHT = 150
_ROW = 44
_BAR = 16
_FIRST, _LAST = 0.1, 10_000.0
"""Milliseconds at the ends of the scale."""

_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .small { font-size: 11px; fill: #59636e; }
  .title { font-weight: 600; }
  .grid { stroke: #d1d9e0; }
  .dot { fill: #0969da; fill-opacity: .25; }
  .mark { stroke: #0969da; stroke-width: 2; }
  .ours { fill: #0969da; }
  .theirs { fill: #9198a1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .dot { fill: #4493f8; }
    .mark { stroke: #4493f8; }
    .ours { fill: #4493f8; }
    .theirs { fill: #656c76; }
  }
"""

_COMPARED = (
    ("first_token_seconds", "First token after an edit, seconds (less is better)"),
    ("prefill_tokens_per_second", "Prefill, tokens per second"),
    ("decode_tokens_per_second", "Decode, tokens per second"),
)
_NAMES = (("phial", "Phial"), ("optimum", "optimum-intel"), ("llama_cpp", "llama.cpp"))


def drawn(report: Report) -> str:
    """Return the picture as SVG, legible on a light page and on a dark one."""
    lines: list[str] = []
    y = 24
    kinds = [kind for kind in KINDS if report.milliseconds.get(kind)]
    if kinds:
        lines += [_text(0, y, "From key to answer, milliseconds", "title")]
        y += 12
        lines += _scale(y, y + _ROW * len(kinds))
        for kind in kinds:
            lines += _distribution(kind, report.milliseconds[kind], y)
            y += _ROW
        y += 48
    values = {figure.name: figure.value for figure in report.every()}
    for name, title in _COMPARED:
        bars = [(label, values.get(f"{key}_{name}")) for key, label in _NAMES]
        numbers = [(label, float(value)) for label, value in bars if isinstance(value, int | float)]
        if not numbers:
            continue
        lines += [_text(0, y, title, "title"), *_bars(numbers, y + 10)]
        y += 10 + (_BAR + 8) * len(numbers) + 32
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 {_WIDTH + 16} {y}" role="img">'
        f"\n<title>{escape(report.model)}</title>\n<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def position(milliseconds: float) -> float:
    """Return where a time stands on the scale, which is logarithmic: 0 at its beginning, 1 at its end."""
    inside = min(max(milliseconds, _FIRST), _LAST)
    return math.log(inside / _FIRST) / math.log(_LAST / _FIRST)


def _scale(top: int, bottom: int) -> Iterator[str]:
    for power in range(round(math.log10(_FIRST)), round(math.log10(_LAST)) + 1):
        x = _x(10.0**power)
        yield f'<line class="grid" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}"/>'
        yield _text(x, bottom + 14, f"{10.0**power:g}", "small", "middle")


def _distribution(kind: str, milliseconds: Sequence[float], top: int) -> Iterator[str]:
    """Yield a dot for each answer, lines at its median and its 99th percentile, and both in words."""
    middle = top + _ROW / 2
    yield _text(0, middle + 4, f"{kind} ({len(milliseconds)})")
    for number, value in enumerate(milliseconds):
        offset = (number * 7 % 17 - 8) * 1.4  # spread, the same each time
        yield f'<circle class="dot" cx="{_x(value):.1f}" cy="{middle + offset:.1f}" r="2.5"/>'
    points = [percentile(milliseconds, share) or 0.0 for share in (0.5, 0.99)]
    for point in points:
        x = _x(point)
        yield f'<line class="mark" x1="{x:.1f}" y1="{middle - 15}" x2="{x:.1f}" y2="{middle + 15}"/>'
    words = f"p50 {in_words(points[0])}, p99 {in_words(points[1])}"
    yield _text(_WIDTH, middle + 4, words, "small", "end")


def _bars(numbers: Sequence[tuple[str, float]], top: int) -> Iterator[str]:
    most = max(value for _, value in numbers) or 1.0
    for row, (label, value) in enumerate(numbers):
        y = top + row * (_BAR + 8)
        length = max(2.0, value / most * (_WIDTH - _LEFT - _RIGHT))
        kind = "theirs" if row else "ours"
        yield _text(0, y + 13, label)
        yield f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2"/>'
        yield _text(_LEFT + length + 8, y + 13, in_words(value), "small")


def _x(milliseconds: float) -> float:
    return _LEFT + position(milliseconds) * (_WIDTH - _LEFT - _RIGHT)


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{name}>{escape(text)}</text>'
