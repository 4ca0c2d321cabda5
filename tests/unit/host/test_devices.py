from __future__ import annotations

import pytest

from phial.errors import DeviceError
from phial.host.devices import Choice, Device, choose

GIB = 1 << 30
CPU = Device("CPU", "Intel Core Ultra 7")
SMALL_GPU = Device("GPU.0", "Intel Iris Xe", 2 * GIB)
LARGE_GPU = Device("GPU.1", "Intel Arc A770", 16 * GIB)
NPU = Device("NPU", "Intel AI Boost")


@pytest.mark.parametrize(
    ("wanted", "present", "choice"),
    [
        ("AUTO", [CPU], Choice("CPU", "OpenVINO sees no GPU")),
        ("AUTO", [CPU, NPU], Choice("CPU", "OpenVINO sees no GPU")),
        ("AUTO", [CPU, LARGE_GPU], Choice("GPU.1", "Intel Arc A770 has room for it")),
        ("AUTO", [CPU, SMALL_GPU, LARGE_GPU], Choice("GPU.1", "Intel Arc A770 has room for it")),
        ("AUTO", [CPU, SMALL_GPU], Choice("CPU", "the GPU's 2.0 GB are less than the 3.0 GB it needs")),
        ("AUTO", [CPU, Device("GPU", "Some GPU")], Choice("GPU", "Some GPU has room for it")),
        ("CPU", [CPU, LARGE_GPU], Choice("CPU", "chosen in the settings")),
        ("GPU", [CPU, SMALL_GPU], Choice("GPU", "chosen in the settings")),
        ("GPU.0", [CPU, SMALL_GPU], Choice("GPU.0", "chosen in the settings")),
        ("NPU", [CPU, NPU], Choice("NPU", "chosen in the settings")),
    ],
)
def test_a_device_is_chosen_and_says_why(wanted: str, present: list[Device], choice: Choice) -> None:
    assert choose(wanted, present, 3 * GIB) == choice


@pytest.mark.parametrize(
    ("wanted", "present", "seen"),
    [
        ("GPU", [CPU], "CPU"),
        ("GPU.2", [CPU, SMALL_GPU], "CPU, GPU.0"),
        ("NP", [CPU, NPU], "CPU, NPU"),
        ("CPU", [], "none"),
    ],
)
def test_a_device_that_is_not_there_is_an_error(wanted: str, present: list[Device], seen: str) -> None:
    with pytest.raises(DeviceError, match=f"There is no device '{wanted}' here; OpenVINO sees {seen}."):
        choose(wanted, present, GIB)
