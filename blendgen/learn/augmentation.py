"""Augmentation: what differs between pictures of the same class, and does not change the class.

In: (n, 3, h, w) float32 from 0 to 1 and a torch.Generator. Out: the same, moved a little, and mixed with
chains of photographic changes: brightness, contrast, tone, saturation, white balance, blur, detail, noise.
Nothing is mirrored, as mirrored products may be others. Hues are not turned; where colour is the class,
saturation and white balance stay as they are, too.
source: Hendrycks et al. 2020, AugMix
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional

_CHAINS, _DEPTH = 3, 3
_MOVED_SHARE = 0.9  # of the pictures; the others stay as they are
_ROTATION_RAD, _SCALE, _SHIFT, _SHEAR = 0.26, 0.22, 0.1, 0.1
_LUMA = (0.299, 0.587, 0.114)

# (images, (n, 1, 1, 1) from -1 to 1, generator) -> images
Change = Callable[[Tensor, Tensor, Generator], Tensor]


def augmented(images: Tensor, is_colour_class: bool, generator: Generator) -> Tensor:
    """is_colour_class: classes differ in colour, so colours stay"""
    return photographed(_moved(images, generator), is_colour_class, generator)


def photographed(moved: Tensor, is_colour_class: bool, generator: Generator) -> Tensor:
    """Only the photographic changes, which leave everything in its place."""
    changes = _CHANGES if is_colour_class else (*_CHANGES, *_COLOUR_CHANGES)
    count = len(moved)
    weights = -torch.log(_uniform(generator, 1e-6, 1, count, _CHAINS))  # a Dirichlet distribution, after
    weights = weights / weights.sum(dim=1, keepdim=True)  # dividing by the sum
    mixed = torch.zeros_like(moved)
    for chain in range(_CHAINS):
        mixed += weights[:, chain].reshape(-1, 1, 1, 1) * _chain(moved, changes, generator)
    share = _uniform(generator, 0, 1, count, 1, 1, 1)
    return ((1 - share) * moved + share * mixed).clamp(0, 1)


def _chain(images: Tensor, changes: Sequence[Change], generator: Generator) -> Tensor:
    """One to three changes for each image, each drawn for itself."""
    result, count = images.clone(), len(images)
    depth = torch.randint(1, _DEPTH + 1, (count,), generator=generator)
    for step in range(_DEPTH):
        kind = torch.randint(len(changes), (count,), generator=generator)
        amount = _uniform(generator, -1, 1, count, 1, 1, 1)
        for number, change in enumerate(changes):
            own = torch.nonzero((kind == number) & (depth > step)).flatten()
            if len(own):
                result[own] = change(result[own], amount[own], generator).clamp(0, 1)
    return result


def _moved(images: Tensor, generator: Generator) -> Tensor:
    """Turned, scaled, sheared and shifted; what comes into the frame repeats its edge."""
    count = len(images)
    does_move = (_uniform(generator, 0, 1, count) < _MOVED_SHARE).float()
    angle, shear, x, y, zoom = (
        does_move * limit * _uniform(generator, -1, 1, count)
        for limit in (_ROTATION_RAD, _SHEAR, _SHIFT, _SHIFT, _SCALE)
    )
    scale = torch.exp(zoom)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = [torch.stack([cos, shear - sin, 2 * x], 1), torch.stack([sin, cos, 2 * y], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1), [*images.shape], align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _uniform(generator: Generator, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator)


def _grey(images: Tensor) -> Tensor:
    luma = torch.tensor(_LUMA).reshape(1, 3, 1, 1)
    return (images * luma).sum(dim=1, keepdim=True)


def _brightness(images: Tensor, amount: Tensor, _: Generator) -> Tensor:
    return images * 2 ** (0.7 * amount)


def _contrast(images: Tensor, amount: Tensor, _: Generator) -> Tensor:
    mean = _grey(images).mean(dim=(2, 3), keepdim=True)
    return mean + (images - mean) * 2 ** (0.7 * amount)


def _tone(images: Tensor, amount: Tensor, _: Generator) -> Tensor:
    return images.clamp(min=1e-4) ** (2 ** (0.6 * amount))


def _blur(images: Tensor, amount: Tensor, _: Generator) -> Tensor:
    """A Gaussian of up to 2.2 pixels of 224."""
    sigma = (0.3 + amount.abs().reshape(-1) * 1.9) * images.shape[3] / 224
    return _filtered(images, sigma)


def _detail(images: Tensor, amount: Tensor, _: Generator) -> Tensor:
    smooth = _filtered(images, torch.full((len(images),), 1.2 * images.shape[3] / 224))
    return images + 1.5 * amount.abs() * (images - smooth)


def _noise(images: Tensor, amount: Tensor, generator: Generator) -> Tensor:
    return images + 0.06 * amount.abs() * torch.randn(images.shape, generator=generator)


def _saturation(images: Tensor, amount: Tensor, _: Generator) -> Tensor:
    grey = _grey(images)
    return grey + (images - grey) * 2 ** (0.9 * amount)


def _white_balance(images: Tensor, amount: Tensor, generator: Generator) -> Tensor:
    """From warm to cool, and a little from green to magenta."""
    tint = 0.12 * _uniform(generator, -1, 1, len(images), 1, 1, 1)
    gains = torch.cat([0.3 * amount, tint, -0.3 * amount], dim=1)
    return images * 2**gains


def _filtered(images: Tensor, sigma_px: Tensor) -> Tensor:
    """Each image with its own Gaussian, in both directions."""
    count, channels, height, width = images.shape
    reach = min(6, height - 1, width - 1)
    place = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (place / sigma_px.clamp(min=0.05).reshape(-1, 1)) ** 2)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, 0)
    padded = functional.pad(images, [reach] * 4, mode="replicate")
    flat = padded.reshape(1, count * channels, height + 2 * reach, width + 2 * reach)
    flat = functional.conv2d(flat, kernel[:, None, :, None], groups=count * channels)
    flat = functional.conv2d(flat, kernel[:, None, None, :], groups=count * channels)
    return flat.reshape(count, channels, height, width)


_CHANGES: tuple[Change, ...] = (_brightness, _contrast, _tone, _blur, _detail, _noise)
_COLOUR_CHANGES: tuple[Change, ...] = (_saturation, _white_balance)
