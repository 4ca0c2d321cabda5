"""What a small shop has in stock."""

from dataclasses import dataclass, field


@dataclass
class Inventory:
    """Counts of articles by name."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, article: str, count: int = 1) -> None:
        self.counts[article] = self.counts.get(article, 0) + count

    def remove(self, article: str, count: int = 1) -> None:
        if self.counts.get(article, 0) < count:
            raise ValueError(f"There are not {count} of {article}.")
        self.counts[article] -= count


    def total(self) -> int:
        return sum(self.counts.values())
