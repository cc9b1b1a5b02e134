"""`import tests.torchvision_operators` makes torchvision usable where its compiled part does not fit torch.

That is so where torch is for CPUs and torchvision is not. Its data sets, transforms and models are Python and
need the compiled operators only to be declared; `nms`, which detectors call, is given in Python.
"""

from __future__ import annotations

import sys

import torch


def non_maximum_suppression(boxes: torch.Tensor, scores: torch.Tensor, limit: float) -> torch.Tensor:
    """Indices of boxes, (n, 4) as x0, y0, x1, y1, that overlap no better one by an IoU above the limit."""
    chosen: list[int] = []
    corners, areas = boxes.double(), (boxes[:, 2:] - boxes[:, :2]).double().prod(dim=1)
    for index in scores.argsort(descending=True).tolist():
        low = torch.maximum(corners[chosen, :2], corners[index, :2])
        high = torch.minimum(corners[chosen, 2:], corners[index, 2:])
        common = (high - low).clamp(min=0).prod(dim=1)
        if not (common > limit * (areas[chosen] + areas[index] - common)).any():
            chosen.append(index)
    return torch.tensor(chosen, dtype=torch.int64)


try:
    import torchvision
except RuntimeError:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", non_maximum_suppression, "CPU")
    import torchvision.extension

    vars(torchvision.extension)["_has_ops"] = lambda: True
