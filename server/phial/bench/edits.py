"""What prompt lookup is measured on: edits, whose answers repeat much of the question, and free text, whose do not.

The answer to an edit is begun, with the change in it, and the model writes on: so a small one gets it right, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_BEGUN = 3
"""Lines."""

_AVERAGE = '''def average(values: list[float], weights: list[float]) -> float:
    """Return the weighted mean of some values."""
    total = 0.0
    weight_sum = 0.0
    for value, weight in zip(values, weights):
        total += value * weight
        weight_sum += weight
    if weight_sum == 0.0:
        raise ValueError("the weights add up to nothing")
    return total / weight_sum
'''

_QUEUE = """export class Queue<T> {
  private readonly items: T[] = [];

  push(item: T): void {
    this.items.push(item);
  }

  pop(): T | undefined {
    return this.items.shift();
  }

  get length(): number {
    return this.items.length;
  }
}
"""

_AREA = """static int area(const struct shape *shape)
{
    switch (shape->kind) {
    case SQUARE:
        return shape->width * shape->width;
    case RECTANGLE:
        return shape->width * shape->height;
    case TRIANGLE:
        return shape->width * shape->height / 2;
    default:
        return 0;
    }
}
"""


@dataclass(frozen=True)
class Edit:
    """A wish, the code that it is about, and the code that is wanted."""

    wish: str
    code: str
    wanted: str

    def asked(self) -> dict[str, Any]:
        """Return what to ask a host: to go on with an answer that has been begun."""
        begun = "".join(self.wanted.splitlines(keepends=True)[:_BEGUN])
        question = f"{self.wish} Write all of the code again.\n```\n{self.code}```"
        return {
            "messages": [
                {"role": "user", "content": question},
                {"role": "assistant", "content": f"```\n{begun}"},
            ],
            "continue_final_message": True,
            "stop": ["```"],
        }


EDITS = (
    Edit("Rename `total` to `weighted_sum`.", _AVERAGE, _AVERAGE.replace("total", "weighted_sum")),
    Edit("Rename `items` to `waiting`.", _QUEUE, _QUEUE.replace("items", "waiting")),
    Edit("Return `long` instead of `int`.", _AREA, _AREA.replace("static int", "static long")),
    Edit("Rename `weights` to `shares`.", _AVERAGE, _AVERAGE.replace("weights", "shares")),
)

FREE_TEXT = (
    "Tell how a compiler turns source code into a program.",
    "Describe a walk through a town by the sea, in the morning.",
    "Which data structures does a text editor need, and why?",
    "Write a short letter to somebody who has just moved to another city.",
)
