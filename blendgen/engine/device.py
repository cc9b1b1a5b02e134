"""Device: the CPU or the GPUs on which Cycles renders.

In: the value of --device and the GPUs that a probe found on this machine. Out: the devices to use. A
requested GPU that is missing is an error: Blender itself would silently render on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blendgen.errors import SetupError, UsageError, did_you_mean

# the best first: OptiX runs on the same cards as CUDA and traces rays in hardware
GPU_BACKENDS = ("optix", "cuda", "hip", "oneapi", "metal")
_WORDS = ("auto", "cpu", *GPU_BACKENDS)


@dataclass(frozen=True)
class Device:
    """backend: "cpu" or one of GPU_BACKENDS; id: Blender's identifier of the card; name: its model"""

    backend: str
    id: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.backend.upper()}: {self.name}" if self.name else self.backend.upper()


CPU = Device("cpu")


@dataclass(frozen=True)
class DeviceRequest:
    """The value of --device: "auto", "cpu" or a backend; numbers: its cards, from 0; () for all of them."""

    backend: str
    numbers: tuple[int, ...] = ()


def parse_device(text: str) -> DeviceRequest:
    """The request in "auto", "cpu", "cuda" or "cuda:0,2"; raises UsageError."""
    word, colon, listed = text.strip().lower().partition(":")
    if word not in _WORDS:
        likely = [name for name in _WORDS if name != "cpu"]  # gpu is not a mistyped cpu
        hint = did_you_mean(word, likely)
        default = "" if hint.endswith("?") else "; cpu is the default"
        raise UsageError(f"--device {text}: unknown device{hint}{default}")
    if not colon:
        return DeviceRequest(word)
    numbers = listed.split(",")
    if word in ("auto", "cpu") or not all(number.isdecimal() for number in numbers):
        raise UsageError(f"--device {text}: expected a backend and numbers of cards such as cuda:0,1")
    return DeviceRequest(word, tuple(sorted({int(number) for number in numbers})))


def choose_devices(request: DeviceRequest, gpus: Sequence[Device]) -> tuple[Device, ...]:
    """The requested devices, at least one; gpus: those of this machine, in Blender's order.

    raises: SetupError with the available devices if a requested one is missing
    """
    if request.backend == "cpu":
        return (CPU,)
    if request.backend == "auto":
        available = [word for word in GPU_BACKENDS if any(gpu.backend == word for gpu in gpus)]
        return choose_devices(DeviceRequest(available[0]), gpus) if available else (CPU,)
    cards = [gpu for gpu in gpus if gpu.backend == request.backend]
    missing = [number for number in request.numbers if number >= len(cards)]
    if not cards or missing:
        name = f"{request.backend}:{','.join(map(str, missing))}" if missing and cards else request.backend
        raise SetupError(f"--device: this machine has no {name}; available: {_listed(gpus)}")
    return tuple(cards[number] for number in request.numbers) if request.numbers else tuple(cards)


def _listed(gpus: Sequence[Device]) -> str:
    """The values of --device for this machine: "cpu, cuda:0 (NVIDIA L4), cuda:1 (NVIDIA L4)"."""
    names = ["cpu"]
    for word in GPU_BACKENDS:
        cards = [gpu for gpu in gpus if gpu.backend == word]
        names += [f"{word}:{number} ({card.name})" for number, card in enumerate(cards)]
    return ", ".join(names)
