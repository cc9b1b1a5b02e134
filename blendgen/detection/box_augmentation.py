"""Box augmentation: pictures changed at random, and their boxes with them.

In: (n, 3, h, w) float32 from 0 to 1, a Target for each and a torch.Generator. Out: both, changed. Pictures
are scaled, stretched a little and shifted, and changed as photos differ (learn/augmentation.py). Nothing is
turned, as the box of a turned box is too large, and nothing is mirrored. A box of which less than 40 % stays
in the frame is one that nobody has to find.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional

from blendgen.detection.detector_loss import Target
from blendgen.learn.augmentation import photographed

_MOVED_SHARE = 0.85  # of the pictures
_ZOOM, _STRETCH, _SHIFT = 0.55, 0.1, 0.35  # logarithms, and a share of the frame
_LEAST_INSIDE = 0.4


def augmented(
    images: Tensor, targets: Sequence[Target], is_colour_class: bool, generator: Generator
) -> tuple[Tensor, list[Target]]:
    """is_colour_class: classes differ in colour, so colours stay"""
    count, _, height, width = images.shape
    does_move = (torch.rand(count, generator=generator) < _MOVED_SHARE).float()
    zoom, stretch, x, y = does_move * (2 * torch.rand((4, count), generator=generator) - 1)
    scale = torch.stack([torch.exp(_ZOOM * zoom + side * _STRETCH * stretch) for side in (-1, 1)], dim=1)
    shift = _SHIFT * torch.stack([x, y], dim=1)
    moved = [
        moved_target(target, own_scale, own_shift, (width, height))
        for target, own_scale, own_shift in zip(targets, scale, shift, strict=True)
    ]
    return photographed(moved_images(images, scale, shift), is_colour_class, generator), moved


def moved_images(images: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """scale, shift: (n, 2) in x and y, the shift as a share of the frame; around the centre of the frame

    What comes into the frame repeats its edge.
    """
    rows = torch.zeros((len(images), 2, 3))
    rows[:, 0, 0], rows[:, 1, 1] = 1 / scale[:, 0], 1 / scale[:, 1]
    rows[:, :, 2] = -2 * shift / scale
    grid = functional.affine_grid(rows, [*images.shape], align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def moved_target(target: Target, scale: Tensor, shift: Tensor, size_px: tuple[int, int]) -> Target:
    """The boxes where moved_images moves them, clipped at the frame; those that left it are missing."""
    size = torch.tensor([*size_px, *size_px], dtype=torch.float32)
    moved = (target.boxes - size / 2) * scale.repeat(2) + size / 2 + shift.repeat(2) * size
    clipped = torch.minimum(moved.clamp(min=0), size)
    inside = _area(clipped) / _area(moved).clamp(min=1e-9)
    is_left = inside > 0
    is_ignored = target.is_ignored | (inside < _LEAST_INSIDE)
    return Target(clipped[is_left], target.labels[is_left], is_ignored[is_left])


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)
