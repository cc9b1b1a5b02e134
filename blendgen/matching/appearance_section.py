"""Appearance section: what a network finds different between photos and images, as HTML.

In: Appearance, or the reason why there is none. Out: a section of the page of a comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blendgen.files.names import some_of
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.learn.measures import percent
from blendgen.matching.appearance import Appearance
from blendgen.matching.feature_distances import Neighbourhoods
from blendgen.reports.html_page import figure, paragraph, table

_WHAT = (
    "A network that was trained on ImageNet describes each picture. Distances of such descriptions often do "
    "not predict how well a classifier will do: blendgen evaluate measures that."
)


def appearance_section(apart: Appearance | str) -> Iterator[str]:
    yield paragraph(_WHAT)
    if isinstance(apart, str):
        yield paragraph(f"Not measured: {apart}")
        return
    if apart.left_out:
        yield paragraph(f"Not compared: {some_of(apart.left_out)}")
    yield table(("measure", "value (95 % interval)", "how to read it"), _measures(apart), (1,))
    if apart.classes:
        head = ("class", "photos", "photos covered", "images realistic")
        rows = [(one.label, one.photos, *_shares(one.neighbourhoods)) for one in apart.classes]
        yield paragraph("Each class for itself, with as many images as photos:")
        yield table(head, rows, (1, 2, 3))
    yield from _pictures("Images least like photos", apart.least_like_photos)
    yield from _pictures("Images most like photos", apart.most_like_photos)
    yield from _pictures("Photos least like images", apart.unlike_images)


def _measures(apart: Appearance) -> Iterator[tuple[str, str, str]]:
    kid, around = apart.kid, apart.neighbourhoods
    yield (
        "separated by a linear classifier", percent(apart.telling.accuracy.facts()),
        "of pictures that it was not trained on; 50 % is chance",
    )  # fmt: skip
    thousand = [f"{1e3 * value:.1f}" for value in (kid.value, kid.low, kid.high)]
    yield (
        "kernel distance (KID) x 1000", "{} ({} to {})".format(*thousand),
        "0 for two samples of the same pictures",
    )  # fmt: skip
    covered, realistic = _shares(around)
    yield "photos covered", covered, "by an image in the neighbourhood; about 97 % for the same pictures"
    yield "images realistic (precision)", realistic, "in the neighbourhood of a photo"
    yield (
        "photos reachable (recall)", percent(around.reachable.facts()), "in the neighbourhood of an image",
    )  # fmt: skip


def _shares(around: Neighbourhoods) -> tuple[str, str]:
    return percent(around.covered.facts()), percent(around.realistic.facts())


def _pictures(title: str, pictures: Sequence[tuple[str, ImageHW3U8]]) -> Iterator[str]:
    yield f"<h3>{title}</h3>"
    figures = "".join(figure(image, name.rsplit("/", 1)[-1]) for name, image in pictures)
    yield f'<div class="pictures">{figures}</div>'
