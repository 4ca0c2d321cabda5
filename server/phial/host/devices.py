"""What OpenVINO sees on this machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """A device as OpenVINO names it, `GPU.0`, and as its maker does."""

    name: str
    full_name: str


def devices() -> list[Device]:
    """Return the devices. Raises whatever a broken installation of OpenVINO raises."""
    import openvino

    core = openvino.Core()
    return [Device(name, str(core.get_property(name, "FULL_DEVICE_NAME"))) for name in core.available_devices]
