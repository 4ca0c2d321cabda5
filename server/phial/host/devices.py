"""What OpenVINO sees on this machine, and which of it a model goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phial.errors import DeviceError

_GIB = 1 << 30


@dataclass(frozen=True)
class Device:
    """A device as OpenVINO names it, `GPU.0`, and as its maker does; its memory in bytes, where it has its own."""

    name: str
    full_name: str
    memory: int | None = None


@dataclass(frozen=True)
class Choice:
    """A device for a model, and why it is this one, for the user."""

    device: str
    reason: str


def devices() -> list[Device]:
    """Return the devices. Raises whatever a broken installation of OpenVINO raises."""
    import openvino

    core = openvino.Core()
    return [_device(core, name) for name in core.available_devices]


def choose(wanted: str, present: Sequence[Device], needed: int) -> Choice:
    """Choose a device for a model that needs so many bytes. AUTO takes a GPU that is large enough, else the CPU.

    Raises `DeviceError` where the wanted device is not there.
    """
    if wanted != "AUTO":
        if any(device.name == wanted or device.name.startswith(f"{wanted}.") for device in present):
            return Choice(wanted, "chosen in the settings")
        names = ", ".join(device.name for device in present) or "none"
        raise DeviceError(f"There is no device {wanted!r} here; OpenVINO sees {names}.")
    processors = [device for device in present if device.name.startswith("GPU")]
    for gpu in processors:
        if gpu.memory is None or gpu.memory >= needed:
            return Choice(gpu.name, f"{gpu.full_name} has room for it")
    if processors:
        memory = max(gpu.memory or 0 for gpu in processors)
        return Choice(
            "CPU", f"the GPU's {memory / _GIB:.1f} GB are less than the {needed / _GIB:.1f} GB it needs"
        )
    return Choice("CPU", "OpenVINO sees no GPU")


def _device(core: object, name: str) -> Device:
    full_name = str(core.get_property(name, "FULL_DEVICE_NAME"))  # type: ignore[attr-defined] # a native class
    if not name.startswith("GPU"):
        return Device(name, full_name)
    return Device(name, full_name, int(core.get_property(name, "GPU_DEVICE_TOTAL_MEM_SIZE")))  # type: ignore[attr-defined]
