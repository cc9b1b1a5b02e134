"""Training material: what a training of all layers must know of its pictures.

In: a Dataset and the pictures of a training. Out: the renders that are left out, whether colour is the class,
and a key of everything that the numbers follow from.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from importlib import metadata

import numpy as np

from blendgen import __version__
from blendgen.dataset.dataset import Dataset
from blendgen.errors import DatasetError
from blendgen.learn.backbones import Backbone
from blendgen.learn.choice import folds
from blendgen.learn.pictures import PictureSet
from blendgen.learn.train import Material, Options

_LEFT_OUT = 10  # one of so many shots, where the data set has no split val


def is_colour_class(dataset: Dataset) -> bool:
    """Whether one model is in several classes, so that its colours or its case are the class."""
    labels: dict[str, set[str]] = defaultdict(set)
    for row in dataset.rows():
        for product, label in zip(row.objects.product, row.objects.category, strict=True):
            labels[product].add(label)
    return any(len(own) > 1 for own in labels.values())


def divided(material: Material, seed: int) -> tuple[PictureSet, PictureSet]:
    """Renders to train on, and renders of other shots to test on."""
    renders = material.renders
    if len(material.val):
        return renders, material.val
    number = folds(renders.labels, renders.groups, _LEFT_OUT, seed)
    inside, outside = np.flatnonzero(number != 0), np.flatnonzero(number == 0)
    if not len(inside):
        raise DatasetError("all renders are of one shot: training all layers needs several (or --head-only)")
    return renders.at(inside), renders.at(outside)


def training_key(dataset: Dataset, backbone: Backbone, material: Material, options: Options) -> str:
    """Of everything that the numbers follow from."""
    sets = (material.renders, material.val, material.photos)
    pictures = [None if one is None else [(p.key, p.label_id) for p in one.pictures] for one in sets]
    own: list[object] = [options.seed, options.epochs, options.is_naive, options.photo_share]
    if material.unlabelled is not None and options.guesses_labels:
        own.append([picture.key for picture in material.unlabelled.pictures])
    facts = [__version__, metadata.version("torch"), backbone.digest, dataset.source.identity, own, pictures]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
