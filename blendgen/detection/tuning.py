"""Tuning: all layers of a detector trained on pictures that are changed at random.

In: a TorchDetector, pools of pictures with boxes, each with its share of every batch, and pictures that are
left out. Out: the detector, trained, and what it gave after each epoch. The statistics of batch normalisation
of the backbone stay as they are; the head learns its own. Each epoch has its own random numbers, so it is the
same after an interruption.
source: Liu et al. 2016, SSD; Loshchilov and Hutter 2019, Decoupled weight decay regularization (AdamW)
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from blendgen.detection.anchors import anchors
from blendgen.detection.box_augmentation import augmented
from blendgen.detection.detector_loss import Target, detector_loss
from blendgen.detection.torch_detector import TorchDetector
from blendgen.learn.checkpoint import Checkpoint
from blendgen.learn.tuning import device, epoch_seed, share_of_rate, shuffled_order
from blendgen.system.progress import Progress

BATCH = 4
RATE, HEAD_RATE = 3e-4, 1.5e-3
_DECAY, _LARGEST_GRADIENT = 0.01, 10.0

# the AP of pictures that were left out, by name
Validate = Callable[[TorchDetector], dict[str, float]]


@dataclass(frozen=True)
class Pool:
    """Pictures of one kind; images: (n, 3, side, side) uint8; targets: in pixels of the square"""

    images: Tensor
    targets: tuple[Target, ...]

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Stage:
    """pools: with the pictures of each in every batch; validate: after each epoch, None for none

    steps: batches in an epoch; classes: how many there are
    """

    name: str
    pools: tuple[tuple[Pool, int], ...]
    epochs: int
    steps: int
    seed: int
    classes: int
    is_colour_class: bool
    validate: Validate | None = None

    @property
    def images(self) -> int:
        """That are trained on in all epochs."""
        return self.epochs * self.steps * sum(count for _, count in self.pools)

    def class_weights(self) -> Tensor:
        """(c,) by which the boxes of each class that has some count the same; 1 on average over the boxes"""
        labels = [one.labels[~one.is_ignored] for pool, _ in self.pools for one in pool.targets]
        counts = torch.bincount(torch.cat(labels), minlength=self.classes).double()
        present = int((counts > 0).sum())
        return (counts.sum() / (max(1, present) * counts.clamp(min=1))).float()


def tune(
    model: TorchDetector, stage: Stage, checkpoint: Checkpoint, progress: Progress
) -> list[dict[str, float]]:
    """The history: loss of each epoch, and what the pictures that were left out gave.

    The model is left as it was after the epoch in which these gave the largest AP, on the CPU.
    """
    model.to(device())
    progress.begin(stage.images)
    optimizer = _optimizer(model)
    history: list[dict[str, float]] = []
    best = None
    saved = checkpoint.current(stage.name)
    if saved is not None:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        history, best = saved["history"], saved["best"]
        progress.advance(len(history) * stage.images // stage.epochs)
    for epoch in range(len(history), stage.epochs):
        history.append({"loss": _epoch(model, optimizer, stage, epoch, progress)})
        if stage.validate is not None:
            history[-1] |= stage.validate(model)
            best = copy.deepcopy(model.state_dict()) if _is_best(history) else best
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        checkpoint.save(stage.name, {**state, "history": history, "best": best})
        progress.note(f"{stage.name}: {_line(history, stage.epochs)}")
    if best is not None:
        model.load_state_dict(best)
    model.cpu().eval()
    return history


def _optimizer(model: TorchDetector) -> torch.optim.Optimizer:
    head = [value for part in model.heads() for value in part.parameters()]
    groups = [
        {"params": [*model.network.parameters()], "lr": RATE, "largest": RATE},
        {"params": head, "lr": HEAD_RATE, "largest": HEAD_RATE},
    ]
    return torch.optim.AdamW(groups, weight_decay=_DECAY)


def _epoch(
    model: TorchDetector, optimizer: torch.optim.Optimizer, stage: Stage, epoch: int, progress: Progress
) -> float:
    """The mean loss of one epoch."""
    model.eval()
    for part in model.heads():
        part.train()
    generator = Generator().manual_seed(epoch_seed(stage.seed, stage.name, epoch))
    orders = [shuffled_order(len(pool), stage.steps * count, generator) for pool, count in stage.pools]
    side = stage.pools[0][0].images.shape[3]
    places, weights = torch.from_numpy(anchors(side)).float(), stage.class_weights()
    total = 0.0
    for step in range(stage.steps):
        images, targets = _batch(stage, orders, step)
        images, targets = augmented(images, targets, stage.is_colour_class, generator)
        share = share_of_rate(epoch * stage.steps + step, stage.epochs * stage.steps)
        for group in optimizer.param_groups:
            group["lr"] = group["largest"] * share
        offsets, scores = model(images.to(device()))
        loss = detector_loss(offsets, scores, targets, places, weights)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), _LARGEST_GRADIENT)
        optimizer.step()
        total += float(loss.detach())
        progress.advance(len(images))
    return total / stage.steps


def _batch(stage: Stage, orders: Sequence[Tensor], step: int) -> tuple[Tensor, list[Target]]:
    images, targets = [], []
    for (pool, count), order in zip(stage.pools, orders, strict=True):
        chosen = order[step * count : (step + 1) * count]
        images.append(pool.images[chosen])
        targets += [pool.targets[int(number)] for number in chosen]
    return torch.cat(images).float() / 255, targets


def _is_best(history: Sequence[dict[str, float]]) -> bool:
    values = [one["left_out_map50_95"] for one in history]
    return values[-1] >= max(values)


def _line(history: Sequence[dict[str, Any]], epochs: int) -> str:
    last = history[-1]
    text = f"epoch {len(history)} of {epochs}, loss {last['loss']:.3f}"
    if "left_out_map50" in last:
        text += f", mAP50 on pictures left out {100 * last['left_out_map50']:.1f} %"
    return text
