"""What prompt lookup is measured on: edits, whose answers repeat much of the question, and free text, whose do not.

The edits are of the size of what people select: a class or a few functions. The answer to one is begun, with the change
in it, and the model writes on: so a small one gets it right, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_BEGUN = 7
"""Lines."""

_LEDGER = '''class Ledger:
    """Money that came in and went out, by account."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.entries: list[tuple[str, float]] = []

    def record(self, account: str, amount: float) -> None:
        if not account:
            raise ValueError("an account needs a name")
        self.entries.append((account, amount))

    def balance(self, account: str) -> float:
        total = 0.0
        for name, amount in self.entries:
            if name == account:
                total += amount
        return total

    def accounts(self) -> list[str]:
        return sorted({name for name, _ in self.entries})

    def largest(self) -> str:
        if not self.entries:
            raise ValueError("nothing has been recorded")
        return max(self.accounts(), key=self.balance)

    def report(self) -> str:
        lines = [f"{name}: {self.balance(name):.2f} {self.currency}" for name in self.accounts()]
        return "\\n".join(lines)
'''

_QUEUE = """export class Queue<T> {
  private readonly items: T[] = [];
  private readonly listeners = new Set<(item: T) => void>();

  constructor(private readonly capacity: number) {}

  push(item: T): void {
    if (this.items.length >= this.capacity) {
      throw new Error(`the queue holds ${this.capacity} already`);
    }
    this.items.push(item);
    for (const listener of this.listeners) {
      listener(item);
    }
  }

  pop(): T | undefined {
    return this.items.shift();
  }

  peek(): T | undefined {
    return this.items[0];
  }

  onPush(listener: (item: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get length(): number {
    return this.items.length;
  }
}
"""

_AREA = """static int area(const struct shape *shape)
{
    if (shape == NULL) {
        return -1;
    }
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

static int perimeter(const struct shape *shape)
{
    if (shape == NULL) {
        return -1;
    }
    switch (shape->kind) {
    case SQUARE:
        return 4 * shape->width;
    case RECTANGLE:
        return 2 * (shape->width + shape->height);
    case TRIANGLE:
        return shape->width + shape->height + shape->base;
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
    Edit("Rename `entries` to `bookings`.", _LEDGER, _LEDGER.replace("entries", "bookings")),
    Edit("Rename `items` to `waiting`.", _QUEUE, _QUEUE.replace("items", "waiting")),
    Edit("Return `long` instead of `int`.", _AREA, _AREA.replace("static int", "static long")),
    Edit(
        "Say more in the class's docstring.",
        _LEDGER,
        _LEDGER.replace(", by account.", ", by account and currency."),
    ),
)

FREE_TEXT = (
    "Tell how a compiler turns source code into a program.",
    "Describe a walk through a town by the sea, in the morning.",
    "Which data structures does a text editor need, and why?",
    "Write a short letter to somebody who has just moved to another city.",
)
