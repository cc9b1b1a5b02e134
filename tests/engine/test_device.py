"""--device selects from the devices of the machine, here from given lists."""

import pytest

from blendgen.engine.device import CPU, Device, DeviceRequest, choose_devices, parse_device
from blendgen.errors import SetupError, UsageError

CUDA = [Device("cuda", f"CUDA_{bus}", "NVIDIA L4") for bus in ("a", "b")]
OPTIX = [Device("optix", f"OPTIX_{bus}", "NVIDIA L4") for bus in ("a", "b")]
HIP = [Device("hip", "HIP_a", "AMD W7900")]
NVIDIA = [*OPTIX, *CUDA]


def chosen(text, gpus):
    return list(choose_devices(parse_device(text), gpus))


def test_a_device_has_a_backend_and_numbers():
    assert parse_device("cpu") == DeviceRequest("cpu")
    assert parse_device(" CUDA:2,0,2 ") == DeviceRequest("cuda", (0, 2))


@pytest.mark.parametrize("text", ["gpu", "", "cuda:", "cuda:a", "cuda:-1", "cpu:0", "auto:1", "optix:0,"])
def test_an_invalid_device_is_rejected(text):
    with pytest.raises(UsageError, match="--device"):
        parse_device(text)


def test_a_mistyped_device_gets_a_suggestion():
    with pytest.raises(UsageError, match="did you mean optix"):
        parse_device("optx")


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [([], [CPU]), (CUDA, CUDA), (NVIDIA, OPTIX), (CUDA + OPTIX, OPTIX), (HIP, HIP), (HIP + CUDA, CUDA)],
)
def test_auto_is_the_best_available_backend_with_all_its_cards(gpus, expected):
    assert chosen("auto", gpus) == expected


def test_cards_are_numbered_within_their_backend():
    assert chosen("cuda:1", NVIDIA) == [CUDA[1]]
    assert chosen("cuda", NVIDIA) == CUDA
    assert chosen("cpu", NVIDIA) == [CPU]


@pytest.mark.parametrize("text", ["hip", "cuda:2", "cuda:0,7"])
def test_a_missing_device_is_an_error_with_the_available_ones(text):
    with pytest.raises(
        SetupError, match=r"this machine has no .*; available: cpu, optix:0 \(NVIDIA L4\), optix:1"
    ):
        chosen(text, NVIDIA)


def test_on_a_machine_without_gpus_only_the_cpu_is_listed():
    with pytest.raises(SetupError, match=r"has no cuda; available: cpu$"):
        chosen("cuda:0", [])
