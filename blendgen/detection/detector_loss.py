"""Detector loss: what a detector says of its anchors, compared with the boxes of the pictures.

In: anchors, boxes with classes, and the outputs of a TorchDetector. Out: a loss. An anchor whose overlap with
a box is 0.5 or more (IoU) has to find it, and its best anchor has to in any case. Of the others,
the three that are the most wrong for each that finds a box learn that they see background. Anchors on boxes
that nobody has to find do not count.
source: Liu et al. 2016, SSD, section 2.2; torchvision, SSD.compute_loss and SSDMatcher
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from blendgen.detection.anchors import WEIGHTS

BACKGROUND, _IGNORED = -1, -2
_LEAST_OVERLAP = 0.5
_NEGATIVES = 3  # for each anchor that finds a box
_LEAST_NEGATIVES = 12  # of a picture without boxes, too


@dataclass(frozen=True)
class Target:
    """Boxes of one picture in the square, (n, 4) as corners; labels (n,); is_ignored (n,) bool"""

    boxes: Tensor
    labels: Tensor
    is_ignored: Tensor


def overlaps(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """(n, m): IoU of boxes given as corners, and the share of the second ones that is common."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    common = (high - low).clamp(min=0).prod(dim=2)
    own, other = (((one[:, 2:] - one[:, :2]).clamp(min=0)).prod(dim=1) for one in (first, second))
    union = own[:, None] + other[None] - common
    return common / union.clamp(min=1e-9), common / other[None].clamp(min=1e-9)


def assigned(target: Target, anchor_corners: Tensor) -> Tensor:
    """(a,): which box each anchor has to find; BACKGROUND; or _IGNORED"""
    result = torch.full((len(anchor_corners),), BACKGROUND)
    ignored, wanted = target.boxes[target.is_ignored], torch.nonzero(~target.is_ignored).flatten()
    if len(ignored):
        _, share = overlaps(ignored, anchor_corners)
        result[share.max(dim=0).values >= _LEAST_OVERLAP] = _IGNORED
    if not len(wanted):
        return result
    iou, _ = overlaps(target.boxes[wanted], anchor_corners)
    best, which = iou.max(dim=0)
    is_found = best >= _LEAST_OVERLAP
    result[is_found] = wanted[which[is_found]]
    result[iou.argmax(dim=1)] = wanted
    return result


def encoded(boxes: Tensor, anchors: Tensor) -> Tensor:
    """What the network has to say of anchors, centres and sides, so that boxes, corners, come out."""
    centre, side = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
    weights = torch.tensor(WEIGHTS)
    moved = (centre - anchors[:, :2]) / anchors[:, 2:]
    return torch.cat([moved, torch.log(side / anchors[:, 2:])], dim=1) * weights


def detector_loss(
    offsets: Tensor, scores: Tensor, targets: list[Target], anchors: Tensor, class_weights: Tensor
) -> Tensor:
    """anchors: centres and sides; class_weights: (c,) of the boxes of each class"""
    half = anchors[:, 2:] / 2
    corners = torch.cat([anchors[:, :2] - half, anchors[:, :2] + half], dim=1)
    box_losses, class_losses, positive_count = [], [], 0
    for own_offsets, own_scores, target in zip(offsets, scores, targets, strict=True):
        which = assigned(target, corners)
        positive = torch.nonzero(which >= 0).flatten()
        labels = torch.zeros(len(which), dtype=torch.int64)
        labels[positive] = target.labels[which[positive]] + 1
        losses = functional.cross_entropy(own_scores, labels.to(own_scores.device), reduction="none")
        weights = class_weights[labels[positive] - 1].to(losses.device)
        class_losses.append((losses[positive] * weights).sum() + _hardest(losses, which, len(positive)).sum())
        wanted = encoded(target.boxes[which[positive]], anchors[positive]).to(own_offsets.device)
        box_losses.append(functional.smooth_l1_loss(own_offsets[positive], wanted, reduction="sum"))
        positive_count += len(positive)
    return (torch.stack(box_losses).sum() + torch.stack(class_losses).sum()) / max(1, positive_count)


def _hardest(losses: Tensor, which: Tensor, positives: int) -> Tensor:
    """The largest losses of anchors that see background."""
    background = losses[(which == BACKGROUND).to(losses.device)]
    count = min(len(background), max(_NEGATIVES * positives, _LEAST_NEGATIVES))
    return background.topk(count).values
