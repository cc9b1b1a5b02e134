"""Device: where Cycles computes; what was asked for against what is there.

In: the words of --device and the GPUs that a probe found. Out: the devices to use. Nothing here
looks at the machine; a GPU that was asked for and is not there is refused, because Blender itself
would render on the CPU and say nothing.
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
    """backend: "cpu" or one of GPU_BACKENDS; id: Blender's, which names the very card; name: for people"""

    backend: str
    id: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.backend.upper()}: {self.name}" if self.name else self.backend.upper()


CPU = Device("cpu")


@dataclass(frozen=True)
class Wish:
    """What --device asks for: a word, and which of its cards (counted from 0), none for all."""

    backend: str
    numbers: tuple[int, ...] = ()


def parse_device(text: str) -> Wish:
    """The wish of "auto", "cpu", "cuda" or "cuda:0,2"; raises UsageError."""
    word, colon, listed = text.strip().lower().partition(":")
    if word not in _WORDS:
        raise UsageError(f"--device {text}: there is no such device{did_you_mean(word, _WORDS)}")
    if not colon:
        return Wish(word)
    numbers = listed.split(",")
    if word in ("auto", "cpu") or not all(number.isdecimal() for number in numbers):
        raise UsageError(f"--device {text}: cards are numbers behind a backend, such as cuda:0,1")
    return Wish(word, tuple(sorted({int(number) for number in numbers})))


def choose_devices(wish: Wish, found: Sequence[Device]) -> tuple[Device, ...]:
    """The devices that a wish means, one or more; found: the GPUs that are there, in Blender's order.

    raises: SetupError with the list of what is there, where what was asked for is not
    """
    if wish.backend == "cpu":
        return (CPU,)
    if wish.backend == "auto":
        there = [word for word in GPU_BACKENDS if any(device.backend == word for device in found)]
        return choose_devices(Wish(there[0]), found) if there else (CPU,)
    cards = [device for device in found if device.backend == wish.backend]
    missing = [number for number in wish.numbers if number >= len(cards)]
    if not cards or missing:
        which = f"{wish.backend}:{','.join(map(str, missing))}" if missing and cards else wish.backend
        raise SetupError(f"--device: there is no {which} on this machine; there is {_listed(found)}")
    return tuple(cards[number] for number in wish.numbers) if wish.numbers else tuple(cards)


def _listed(found: Sequence[Device]) -> str:
    """What one may ask for: "cpu, cuda:0 (NVIDIA L4), cuda:1 (NVIDIA L4)"."""
    told = ["cpu"]
    for word in GPU_BACKENDS:
        cards = [device for device in found if device.backend == word]
        told += [f"{word}:{number} ({device.name})" for number, device in enumerate(cards)]
    return ", ".join(told)
