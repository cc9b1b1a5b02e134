"""Every data set of the matrix through every export: what loaders read is what the manifest says."""

from __future__ import annotations

import contextlib
import io
import logging
from collections import Counter

import numpy as np
import pytest

from blendgen.errors import DatasetError
from blendgen.scene import folder_names
from tests.exporters.exported import run
from tests.exporters.matrix.readers import READERS, Example, opened
from tests.exporters.matrix.sets import FULL_FOLDERS, SETS
from tests.markdown import DOCS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:OpenCV:UserWarning"),
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # webdataset does not close its files
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
# (set, beginning of the reader's name): what the export says instead
REFUSALS = {
    ("no split for training", "yolo detect"): "has no split train, which ultralytics requires",
    ("no split for training", "yolo segment"): "has no split train, which ultralytics requires",
}
# (set, reader): what the export warns of, because this reader will raise an error
WARNINGS = {
    (
        "tiny images",
        "yolo detect by ultralytics",
    ): "ultralytics ignores 6 images with a side of less than 10 px",
    (
        "tiny images",
        "yolo segment by ultralytics",
    ): "ultralytics ignores 6 images with a side of less than 10 px",
    ("no objects", "hf by datasets"): "metadata.jsonl: load_dataset will refuse this export",
    ("no objects", "webdataset by datasets"): "the first 5 images of val, from which Hugging Face datasets",
}
# (set, reader): (page, what it says), where nothing is written that could say it
DOCUMENTED = {
    (name, "OUT/images by datasets, without its card"): (
        "dataset.md",
        "ignores that file and finds the usual three splits only",
    )
    for name in ("splits of one's own", "no split for training")
} | {
    (FULL_FOLDERS, "yolo detect by supervision"): (
        "exports.md",
        "supervision leaves the files in sub-folders out of `yolo`",
    )
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    made = {}

    def source_of(name):
        if name not in made:
            made[name] = SETS[name](tmp_path_factory.mktemp("set") / "set")
        return made[name]

    return source_of


@pytest.fixture(scope="module")
def exported(sources, tmp_path_factory):
    """Each export of each set once: its folder, or the error that refuses it, and what it logs."""
    done = {}

    def export_of(name, export):
        if (name, export) not in done:
            dest, log = tmp_path_factory.mktemp("export") / "out", io.StringIO()
            handler = logging.StreamHandler(log)
            logging.getLogger("blendgen").addHandler(handler)
            try:
                with pytest.MonkeyPatch.context() as patch:
                    if name == FULL_FOLDERS:
                        patch.setattr(folder_names, "FULL", 1)
                        patch.setattr(folder_names, "_THOUSAND", 2)
                    run(sources(name), export[0], dest, **dict(export[1]))
                done[name, export] = dest, log.getvalue()
            except DatasetError as error:
                done[name, export] = error, log.getvalue()
            finally:
                logging.getLogger("blendgen").removeHandler(handler)
        return done[name, export]

    return export_of


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        import datasets

        patch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("hub"))
        datasets.disable_progress_bars()
        yield
        datasets.enable_progress_bars()


def expected(source, split_name) -> list[Example]:
    return [
        Example(
            split_name(row.split),
            opened(source.path(row)),
            row.label,
            tuple((name, *box) for name, box in zip(row.objects.category, row.objects.bbox, strict=True)),
        )
        for row in source.rows()
    ]


def compare(read: list[Example], wanted: list[Example], tolerance_px: float) -> None:
    assert Counter((one.split, one.pixels) for one in read) == Counter(
        (one.split, one.pixels) for one in wanted
    )
    by_pixels = {(one.split, one.pixels): one for one in wanted}
    for one in read:
        row = by_pixels[one.split, one.pixels]
        assert one.label in (None, row.label)
        if one.boxes is not None:
            assert sorted(box[0] for box in one.boxes) == sorted(box[0] for box in row.boxes)
            assert in_order(one.boxes) == pytest.approx(in_order(row.boxes), abs=max(tolerance_px, 1e-9))


def in_order(boxes) -> np.ndarray:
    """Numbers of boxes, in an order that does not depend on the loader."""
    ordered = sorted(boxes, key=lambda box: (box[0], *(round(value) for value in box[1:])))
    return np.array([box[1:] for box in ordered], float).reshape(-1, 4)


def listed(name, reader, messages) -> str | None:
    return next(
        (text for (of, begin), text in messages.items() if of == name and reader.startswith(begin)), None
    )


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", SETS)
def test_a_loader_reads_what_the_manifest_says(sources, exported, name, reader):
    source, one = sources(name), READERS[reader]
    dest, log = exported(name, one.export) if one.export else (source.root, "")
    if documented := DOCUMENTED.get((name, reader)):
        page, text = documented
        assert text in " ".join((DOCS / page).read_text("utf-8").split())
        return
    if refusal := listed(name, reader, REFUSALS):
        assert refusal in str(dest)
        return
    if warning := listed(name, reader, WARNINGS):
        assert warning in log
        with pytest.raises(
            Exception, match=r"different features|No valid images|error occurred while generating"
        ):
            list(one.read(dest, source))
        return
    with contextlib.redirect_stdout(io.StringIO()):
        read = list(one.read(dest, source))
    assert all(one.boxes is not None or one.label is not None for one in read)
    compare(read, expected(source, one.split_name), one.tolerance_px)


def test_the_sets_have_the_properties_of_their_names(sources):
    pile = sources("pile")
    hidden = [fraction for row in pile.rows() for fraction in row.objects.visible_fraction]
    assert min(hidden) < 0.6 and len(pile.splits) > 1
    assert any(not len(row.objects) for row in sources("no objects").rows())
    assert max(row.label_id for row in sources("300 classes").rows()) > 255
