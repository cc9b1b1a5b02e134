"""annotate(film, shot) -> Labels: what is where in the picture, from exact ids alone.

In: the engine's instance ids and amodal masks. Out: one ObjectLabel a product. Labels are new
values; nothing is written back to the shot, and no pixel of the picture is looked at.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry import box_of_mask
from blendgen.shot import Film, Labels, ObjectLabel, PlacedProduct, Shot


def annotate(film: Film, shot: Shot) -> Labels:
    """Labels of every product of the shot, in the order of their instance ids."""
    objects = tuple(_label(film, placed) for placed in shot.products)
    return Labels(objects=objects, instance_id=film.instance_id)


def hidden_products(labels: Labels) -> list[str]:
    """Names of products of which no pixel is seen: the reason to draw the shot again."""
    return [label.product for label in labels.objects if label.area == 0]


def _label(film: Film, placed: PlacedProduct) -> ObjectLabel:
    visible = film.instance_id == placed.instance_id
    # a visible pixel is an amodal pixel, also where the two layers round an edge differently
    amodal = film.amodal_mask[placed.instance_id] | visible
    area, whole = int(np.count_nonzero(visible)), int(np.count_nonzero(amodal))
    return ObjectLabel(
        instance_id=placed.instance_id,
        label=placed.label,
        label_id=placed.label_id,
        product=placed.product,
        colorway=placed.colorway,
        bbox=box_of_mask(visible),
        bbox_amodal=box_of_mask(amodal),
        area=area,
        visible_fraction=area / whole if whole else 0.0,
        object_to_world=placed.object_to_world,
        case=placed.case,
    )
