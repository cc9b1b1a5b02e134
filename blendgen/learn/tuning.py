"""Tuning: all layers of a network trained at a small rate, on pictures that are changed at random.

In: a TorchClassifier whose head fits already, and pools of pictures, each with its share of every batch. Out:
the classifier, trained, and what it gave after each epoch. The statistics of batch normalisation stay as they
are: batches of few, similar pictures have others than photos. Each epoch has its own random numbers, so it is
the same after an interruption.
source: Kumar et al. 2022, Fine-tuning can distort pretrained features (the head first); Loshchilov and Hutter
2019, Decoupled weight decay regularization (AdamW)
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.augmentation import augmented
from blendgen.learn.checkpoint import Checkpoint
from blendgen.learn.torch_network import TorchClassifier
from blendgen.system.machine import cores
from blendgen.system.progress import Progress

BATCH = 16
RATE = 3e-4
_DECAY, _SMOOTHING, _WARM_UP = 0.01, 0.1, 0.1
_PATIENCE = 2  # epochs without a smaller loss on pictures that were left out
_TESTED_AT_ONCE = 32


@dataclass(frozen=True)
class Pool:
    """Pictures of one kind; images: (n, 3, side, side) uint8; labels: (n,) int64"""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, positions: Any) -> Pool:
        chosen = torch.as_tensor(positions, dtype=torch.int64)
        return Pool(self.images[chosen], self.labels[chosen])

    def class_weights(self, classes: int) -> Tensor:
        """(c,) by which each class that has pictures counts the same; 1 on average over the pictures."""
        counts = torch.bincount(self.labels, minlength=classes).double()
        present = int((counts > 0).sum())
        return (len(self) / (present * counts.clamp(min=1))).float()


@dataclass(frozen=True)
class Stage:
    """pools: with the pictures of each in every batch; validation: left out, ends the stage early

    steps: batches in an epoch; seed: of this stage
    """

    name: str
    pools: tuple[tuple[Pool, int], ...]
    epochs: int
    steps: int
    seed: int
    is_colour_class: bool
    validation: Pool | None = None

    @property
    def images(self) -> int:
        """That are trained on in all epochs."""
        return self.epochs * self.steps * sum(count for _, count in self.pools)


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def limited_threads() -> Iterator[None]:
    """With no more threads than this process has cores: a container may have fewer than its machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(min(threads, cores()))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def tune(
    model: TorchClassifier, stage: Stage, checkpoint: Checkpoint, progress: Progress
) -> list[dict[str, float]]:
    """The history: loss of each epoch, and what the pictures that were left out gave.

    The model is left as it was after the epoch in which these gave the smallest loss, on the CPU.
    """
    model.to(device()).eval()
    progress.begin(stage.images)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=_DECAY)
    history: list[dict[str, float]] = []
    best = None
    saved = checkpoint.current(stage.name)
    if saved is not None:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        history, best = saved["history"], saved["best"]
        progress.advance(len(history) * stage.images // stage.epochs)
    for epoch in range(len(history), stage.epochs):
        if _is_over(history):
            break
        history.append({"loss": _epoch(model, optimizer, stage, epoch, progress)})
        if stage.validation is not None:
            history[-1] |= _validated(model, stage.validation)
            best = copy.deepcopy(model.state_dict()) if _is_best(history) else best
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        checkpoint.save(stage.name, {**state, "history": history, "best": best})
        progress.note(f"{stage.name}: {_line(history, stage.epochs)}")
    progress.advance((stage.epochs - len(history)) * stage.images // stage.epochs)
    if best is not None:
        model.load_state_dict(best)
    model.cpu()
    return history


def _epoch(
    model: TorchClassifier, optimizer: Any, stage: Stage, epoch: int, progress: Progress
) -> float:  # fmt: skip
    """The mean loss of one epoch."""
    generator = Generator().manual_seed(epoch_seed(stage.seed, stage.name, epoch))
    orders = [shuffled_order(len(pool), stage.steps * count, generator) for pool, count in stage.pools]
    classes = model.head.out_features
    weights = [pool.class_weights(classes) for pool, _ in stage.pools]
    total = 0.0
    for step in range(stage.steps):
        batches = [
            pool.at(order[step * count : (step + 1) * count])
            for (pool, count), order in zip(stage.pools, orders, strict=True)
        ]
        own = torch.cat([weight[batch.labels] for weight, batch in zip(weights, batches, strict=True)])
        images = torch.cat([batch.images for batch in batches]).float() / 255
        changed = augmented(images, stage.is_colour_class, generator)
        labels = torch.cat([batch.labels for batch in batches])
        share = share_of_rate(epoch * stage.steps + step, stage.epochs * stage.steps)
        for group in optimizer.param_groups:
            group["lr"] = RATE * share
        total += _step(model, optimizer, changed, labels, own)
        progress.advance(len(labels))
    return total / stage.steps


def _step(model: TorchClassifier, optimizer: Any, images: Tensor, labels: Tensor, weights: Tensor) -> float:
    scores = model(images.to(device()))
    losses = functional.cross_entropy(
        scores, labels.to(device()), reduction="none", label_smoothing=_SMOOTHING
    )
    loss = (losses * weights.to(device())).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def share_of_rate(step: int, steps: int) -> float:
    """Rises in the first tenth, then falls to zero like a cosine."""
    rising = min(1.0, (step + 1) / max(1.0, _WARM_UP * steps))
    return rising * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def shuffled_order(count: int, wanted: int, generator: Generator) -> Tensor:
    """Positions, all of them before one comes again."""
    rounds = -(-wanted // count)
    return torch.cat([torch.randperm(count, generator=generator) for _ in range(rounds)])[:wanted]


def epoch_seed(seed: int, stage: str, epoch: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {stage} {epoch}".encode()).digest()[:7], "little")


def outputs(model: TorchClassifier, images: Tensor) -> tuple[AnyArray, AnyArray]:
    """Features (n, d) and scores (n, c) of (n, 3, side, side) uint8, float32."""
    model.eval()
    features, scores = [], []
    with torch.no_grad():
        for start in range(0, len(images), _TESTED_AT_ONCE):
            batch = images[start : start + _TESTED_AT_ONCE].to(_device_of(model)).float() / 255
            features.append(model.features(batch))
            scores.append(model.head(features[-1]))
    both = (torch.cat(parts).cpu().numpy() for parts in (features, scores))
    own, result = both
    return own, result


def _device_of(model: TorchClassifier) -> torch.device:
    return next(model.parameters()).device


def _validated(model: TorchClassifier, pool: Pool) -> dict[str, float]:
    scores = torch.tensor(outputs(model, pool.images)[1])
    right = (scores.argmax(dim=1) == pool.labels).double().mean()
    return {
        "left_out_loss": float(functional.cross_entropy(scores, pool.labels)),
        "left_out_accuracy": float(right),
    }


def _is_best(history: Sequence[dict[str, float]]) -> bool:
    losses = [one["left_out_loss"] for one in history]
    return losses[-1] <= min(losses)


def _is_over(history: Sequence[dict[str, float]]) -> bool:
    losses = [one["left_out_loss"] for one in history if "left_out_loss" in one]
    return len(losses) > _PATIENCE and min(losses[-_PATIENCE:]) > min(losses[:-_PATIENCE])


def _line(history: Sequence[dict[str, float]], epochs: int) -> str:
    last = history[-1]
    text = f"epoch {len(history)} of {epochs}, loss {last['loss']:.3f}"
    if "left_out_loss" in last:
        text += f", on pictures left out {last['left_out_loss']:.3f}, {100 * last['left_out_accuracy']:.1f} %"
    return text
