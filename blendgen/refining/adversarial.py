"""Adversarial: the training of a refiner against a discriminator, a step at a time.

In: crops of renders and of photos. Out: a Refiner, and what the training gave. In each step the discriminator
learns to tell photos from refined renders, half of which were refined in earlier steps (the history), and the
refiner learns to look like photos while it stays near the render. Each step has its own random numbers, so
the training is the same after an interruption.
source: Shrivastava et al. 2017 (local loss, history, self-regularisation); Mao et al. 2017, Least squares
generative adversarial networks
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional

from blendgen.learn.checkpoint import Checkpoint
from blendgen.learn.tuning import device, limited_threads
from blendgen.refining.crops import Crops
from blendgen.refining.networks import Refiner, new_networks
from blendgen.system.progress import Progress

BATCH = 8
_STAGE = "refiner"
_RATE, _BETAS = 2e-4, (0.5, 0.999)
_HISTORY = 512  # refined crops
_MEAN_PX, _MEAN_WEIGHT = 8, 4.0  # squares whose mean colour should stay, which counts more than each pixel
_SMALL = 10 / 255
_ALONE = 50  # steps in which only the discriminator learns
_SAVED_EVERY, _NOTED_EVERY = 50, 100


@dataclass(frozen=True)
class Settings:
    """steps, seconds: the training ends with the first that is reached; seconds: None for no limit

    regularization: weight of the difference between a render and what is made of it
    """

    steps: int
    seconds: float | None
    regularization: float
    seed: int


@dataclass
class _History:
    """Means over the steps since the last line."""

    adversarial: float = 0.0
    difference: float = 0.0
    accuracy: float = 0.0
    steps: int = 0

    def add(self, adversarial: float, difference: float, accuracy: float) -> None:
        self.adversarial += adversarial
        self.difference += difference
        self.accuracy += accuracy
        self.steps += 1

    def means(self, step: int) -> dict[str, float]:
        names = ("adversarial", "difference", "accuracy")
        return {"step": step, **{name: round(getattr(self, name) / self.steps, 5) for name in names}}


class Training:
    """One training. step: how many are done; history: what they gave, one entry for every 100"""

    def __init__(self, renders: Crops, photos: Crops, settings: Settings, checkpoint: Checkpoint):
        self._settings, self._checkpoint, self._device = settings, checkpoint, device()
        self._renders, self._photos = torch.from_numpy(renders.images), torch.from_numpy(photos.images)
        refiner, discriminator = new_networks(settings.seed)
        self.refiner = refiner.to(self._device)
        self._discriminator = discriminator.to(self._device)
        self._optimizers = [
            torch.optim.Adam(network.parameters(), lr=_RATE, betas=_BETAS)
            for network in (self.refiner, self._discriminator)
        ]
        self._earlier = self._renders[:0]
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []
        self._sums = _History()

    def run(self, progress: Progress) -> Refiner:
        """Train until a limit is reached, from where an earlier run was stopped."""
        with limited_threads():
            self._run(progress)
        return self.refiner.cpu().eval()

    def _run(self, progress: Progress) -> None:
        steps, limit_s = self._settings.steps, self._settings.seconds or math.inf
        progress.begin(steps, "step")
        self._continue()
        progress.advance(self.step)
        before_s, began_s = self.seconds, time.monotonic()
        while self.step < steps and self.seconds < limit_s:
            self._one_step()
            self.step += 1
            self.seconds = before_s + time.monotonic() - began_s
            is_last = self.step == steps or self.seconds >= limit_s
            if self.step % _NOTED_EVERY == 0 or is_last:
                self._note(progress)
            if self.step % _SAVED_EVERY == 0 or is_last:
                self._save()
            progress.advance(1)

    def _one_step(self) -> None:
        generator = Generator().manual_seed(_seed(self._settings.seed, self.step))
        renders, photos = (self._batch(crops, generator) for crops in (self._renders, self._photos))
        made = self.refiner(renders)
        current = made.detach().clamp(0, 1)
        accuracy = self._teach_discriminator(photos, self._with_earlier(current, generator))
        adversarial, difference = self._teach_refiner(renders, made)
        self._sums.add(adversarial, difference, accuracy)

    def _batch(self, crops: Tensor, generator: Generator) -> Tensor:
        chosen = torch.randint(len(crops), (BATCH,), generator=generator)
        return crops[chosen].to(self._device).float() / 255

    def _with_earlier(self, current: Tensor, generator: Generator) -> Tensor:
        """Half of a batch of refined crops replaced by earlier ones, of which it then replaces some."""
        levels = (current * 255).round().to(torch.uint8).cpu()
        half = BATCH // 2
        if len(self._earlier) < _HISTORY:
            self._earlier = torch.cat([self._earlier, levels[:half]])
        if len(self._earlier) < BATCH:
            return current
        places = torch.randperm(len(self._earlier), generator=generator)[:half]
        earlier = self._earlier[places].to(self._device).float() / 255
        self._earlier[places] = levels[half:]
        return torch.cat([current[:half], earlier])

    def _teach_discriminator(self, photos: Tensor, made: Tensor) -> float:
        """How often it was right before that."""
        of_photos, of_made = self._discriminator(photos), self._discriminator(made)
        _update(self._optimizers[1], ((of_photos - 1) ** 2).mean() + (of_made**2).mean())
        return float(((of_photos > 0.5).float().mean() + (of_made < 0.5).float().mean()) / 2)

    def _teach_refiner(self, renders: Tensor, made: Tensor) -> tuple[float, float]:
        """(adversarial loss, mean difference from the renders)"""
        change = made - renders
        pixels, means = _cost(change), _cost(functional.avg_pool2d(change, _MEAN_PX))
        adversarial = ((self._discriminator(made) - 1) ** 2).mean()
        if self.step >= _ALONE:
            weight = self._settings.regularization
            _update(self._optimizers[0], adversarial + weight * (pixels + _MEAN_WEIGHT * means))
        return float(adversarial.detach()), float(change.detach().abs().mean())

    def _note(self, progress: Progress) -> None:
        line = self._sums.means(self.step)
        self._sums = _History()
        self.history.append(line)
        progress.note(
            f"step {self.step} of {self._settings.steps}: photos and refined renders are distinguished "
            f"in {100 * line['accuracy']:.0f} % of patches, pixels changed by {255 * line['difference']:.1f} "
            "levels"
        )

    def _save(self) -> None:
        state: dict[str, Any] = {
            "networks": [self.refiner.state_dict(), self._discriminator.state_dict()],
            "optimizers": [one.state_dict() for one in self._optimizers],
            "earlier": self._earlier, "step": self.step, "seconds": self.seconds, "history": self.history,
            "sums": vars(self._sums),
        }  # fmt: skip
        self._checkpoint.save(_STAGE, state)

    def _continue(self) -> None:
        """From a checkpoint, unless it has more steps than are wanted."""
        state = self._checkpoint.current(_STAGE)
        if state is None or state["step"] > self._settings.steps:
            return
        networks = (self.refiner, self._discriminator)
        for network, values in zip(networks, state["networks"], strict=True):
            network.load_state_dict(values)
        for optimizer, values in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        self._earlier, self.step, self.seconds = state["earlier"], state["step"], state["seconds"]
        self.history, self._sums = state["history"], _History(**state["sums"])


def _cost(change: Tensor) -> Tensor:
    """Its mean size; small changes cost their square, or nothing would be worth a first small step."""
    return functional.smooth_l1_loss(change, torch.zeros_like(change), beta=_SMALL)


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _seed(seed: int, step: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {_STAGE} {step}".encode()).digest()[:7], "little")
