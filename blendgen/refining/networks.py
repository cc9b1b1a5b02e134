"""Networks: the refiner, which changes a picture a little, and the discriminator, which judges patches.

In: pictures (n, 3, h, w) float32, 0 to 1, of any size: both are fully convolutional. Out: a picture of that
size, and a map of judgements: 1 for a photo, 0 for a render. The refiner has no normalisation over the
picture, so each pixel follows from those within REACH_PX alone, and a picture may be refined in tiles.
source: Shrivastava et al. 2017, Learning from simulated and unsupervised images through adversarial training
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from blendgen.geometry.arrays import ImageHW3U8
from blendgen.learn.tuning import limited_threads

WIDTH, BLOCKS = 32, 4
REACH_PX = 1 + 2 * BLOCKS
LEAST_SIDE_PX = 32  # of what the discriminator takes
_LARGEST_CHANGE = 0.5  # of the range of a value
_TILE_PX = 256  # on which a refined picture does not depend, but memory does
_SLOPE = 0.2


class Refiner(nn.Module):
    """A picture plus a change; before the training, the change is zero."""

    def __init__(self) -> None:
        super().__init__()
        self.first = _convolution(3, WIDTH)
        self.blocks = nn.ModuleList(_Block() for _ in range(BLOCKS))
        self.last = nn.Conv2d(WIDTH, 3, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor) -> Tensor:
        """Values may be a little below 0 or above 1."""
        values = torch.relu(self.first(pictures - 0.5))
        for block in self.blocks:
            values = block(values)
        return pictures + _LARGEST_CHANGE * torch.tanh(self.last(values))


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = _convolution(WIDTH, WIDTH), _convolution(WIDTH, WIDTH)

    def forward(self, values: Tensor) -> Tensor:
        return torch.relu(values + self.outer(torch.relu(self.inner(values))))


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")


class Discriminator(nn.Module):
    """One judgement for each 4 x 4 pixels, from 15 x 15 around them: too few to see what a picture shows,
    enough to see noise, sharpness and texture."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 3, stride=2), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(32, 64, 3, stride=2), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(64, 64, 3), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(64, 64, 1), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(64, 1, 1),
        )  # fmt: skip

    def forward(self, pictures: Tensor) -> Tensor:
        judgements: Tensor = self.layers(pictures - 0.5)
        return judgements


def new_networks(seed: int) -> tuple[Refiner, Discriminator]:
    """With random weights that follow from the seed; the global generator of torch stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Refiner(), Discriminator()


def refined(refiner: Refiner, image: ImageHW3U8, device: torch.device) -> ImageHW3U8:
    """The whole of an image, in tiles with enough around them."""
    values = torch.from_numpy(image.transpose(2, 0, 1).copy())
    height, width = image.shape[:2]
    result = np.empty_like(image)
    for top in range(0, height, _TILE_PX):
        for left in range(0, width, _TILE_PX):
            bottom, right = min(top + _TILE_PX, height), min(left + _TILE_PX, width)
            above, before = min(top, REACH_PX), min(left, REACH_PX)
            tile = values[:, top - above : bottom + REACH_PX, left - before : right + REACH_PX]
            with torch.no_grad(), limited_threads():
                made = refiner(tile[None].to(device).float() / 255)[0].clamp(0, 1)
            levels = (made * 255).round().to(torch.uint8).cpu().numpy().transpose(1, 2, 0)
            result[top:bottom, left:right] = levels[above:, before:][: bottom - top, : right - left]
    return result
