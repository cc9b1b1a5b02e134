"""annotate(film, shot) -> Labels: what is where in the picture, from exact ids alone.

In: the engine's instance ids and amodal masks. Out: one ObjectLabel a product. Labels are new
values; nothing is written back to the shot, and no pixel of the picture is looked at.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry import box_of_mask
from blendgen.shot import Film, Labels, ObjectLabel, PlacedProduct, Shot


def annotate(film: Film, shot: Shot) -> Labels:
    """Labels of every product of which something is seen, in the order of their instance ids."""
    labels = (_label(film, placed) for placed in shot.products)
    seen = tuple(one for one in labels if one.area)
    return Labels(objects=seen, instance_id=film.instance_id, depth_m=film.depth_m)


def subject_fault(labels: Labels, shot: Shot) -> str | None:
    """Why the shot must be drawn again: nothing, too little or too much of its subject is seen."""
    subject = shot.products[0]
    seen = next((one for one in labels.objects if one.instance_id == subject.instance_id), None)
    if seen is None:
        return f"no pixel of {subject.product} is seen; raise the resolution or frame_fill"
    low, high = shot.visible_band
    if low <= seen.visible_fraction <= high:
        return None
    return (
        f"{seen.visible_fraction:.0%} of {subject.product} is visible, wanted {low:.0%} to {high:.0%}; "
        "widen the visible_fraction of placement or occluders, or change what hides it"
    )


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
        size_m=placed.size_m,
        case=placed.case,
    )
