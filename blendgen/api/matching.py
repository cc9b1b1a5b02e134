"""Photos of a place: a spec matched to them, and a comparison with them. A failure raises a BlendgenError."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blendgen.files.url import local_path

if TYPE_CHECKING:
    from blendgen.api.specs import AnyPath
    from blendgen.matching.compare import Comparison
    from blendgen.matching.match import Matched
    from blendgen.system.progress import ProgressLike


def match(
    photos: AnyPath, dest: AnyPath, *,
    spec: AnyPath | None = None, force: bool = False, progress: ProgressLike = False,
) -> Matched:  # fmt: skip
    """Write a spec whose camera, light and surface are those of photos without labels; nothing is rendered.

    photos: a folder of 5 to 20 photos of the place (docs/matching.md)
    dest: the new spec; its evidence goes to a JSON file next to it, pieces of the background to a folder
    spec: the spec to start from, whose comments stay; None: one of three built-in phones
    force: replace these files
    raises: UsageError if there is no photo, or a file is in the way; SpecError, CatalogError; SetupError
    """
    from blendgen.engine.blender.importing.inventory import measurer
    from blendgen.matching.match import Matcher
    from blendgen.system.progress import reported_to

    base = None if spec is None else local_path(spec)
    with reported_to(progress) as reporter:
        return Matcher(local_path(photos), local_path(dest), base, measurer(), force).match(reporter)


def compare(
    photos: AnyPath, folder: AnyPath, dest: AnyPath | None = None, *, progress: ProgressLike = False
) -> Comparison:
    """Compare photos with the images of a data set: a page, and its numbers as JSON (docs/matching.md).

    dest: of the page, which ends with .html; None: compare-photos.html in folder
    raises: DatasetError; UsageError if there are no photos, too few images, or a file is in the way
    """
    from blendgen.matching.compare import compare
    from blendgen.system.progress import reported_to

    page = None if dest is None else local_path(dest)
    with reported_to(progress) as reporter:
        return compare(local_path(photos), local_path(folder), page, reporter)
