"""Create: a folder to start from, with a commented spec that already renders a folder of models.

In: the folder, perhaps a folder of models and a photo of the place, and a Measurer. Out: new files and a
Started. The spec is checked with its models before it is written. No file of a person is replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import blendgen.models
from blendgen.draw.survey import CheckReport, SampledShots, survey
from blendgen.errors import UsageError
from blendgen.files.disk import raise_if_passing
from blendgen.models.inventory import load_inventory
from blendgen.models.product import Refusal
from blendgen.models.source import Measurer
from blendgen.spec.load import check_spec
from blendgen.spec.yaml_source import parse
from blendgen.starter.guess import Guess, yaml_text
from blendgen.starter.models import model_folder
from blendgen.starter.place import read_place
from blendgen.starter.ranges import FRAME_FILL_PATH, Sizes, span
from blendgen.starter.spec import BUILT_IN_SIZES, header, spec_guesses

SPEC_FILE, IGNORE_FILE = "scene.yaml", ".gitignore"
_IGNORED = """\
# made by blendgen
/out/
/preview.png
# of runs that were cut off
.partial/
.blendgen-partial/
"""


@dataclass(frozen=True)
class Started:
    """What a first spec was made from.

    folder, files: what was written; unchanged: files of a person that are as they were
    guesses: all values of the spec
    left_out: models that cannot be used; notes: what a person should look at; not_read: off the photo
    report: of the check of the spec
    """

    folder: Path
    files: tuple[Path, ...]
    unchanged: tuple[Path, ...]
    guesses: tuple[Guess, ...]
    left_out: tuple[Refusal, ...]
    notes: tuple[str, ...]
    not_read: tuple[str, ...]
    report: CheckReport

    @property
    def spec(self) -> Path:
        return self.folder / SPEC_FILE

    @property
    def from_photo(self) -> tuple[Guess, ...]:
        return tuple(guess for guess in self.guesses if guess.photo)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return {
            "spec": str(self.spec),
            "written": [str(file) for file in self.files],
            "unchanged": [str(file) for file in self.unchanged],
            "guesses": [guess.as_dict() for guess in self.guesses if guess.is_active],
            "left_out": [{"file": one.source, "reason": one.reason} for one in self.left_out],
            "notes": list(self.notes),
            "not_read": list(self.not_read),
            "check": self.report.as_dict(),
        }


def create_spec(folder: Path, models: Path | None, photo: Path | None, measurer: Measurer) -> Started:
    """Write a first spec and a .gitignore into a folder, which need not exist.

    models: folder of models; None for built-in ones
    photo: of the place; None for usual surfaces and lights
    raises: UsageError if the folder has a spec or cannot be written, or the photo cannot be read;
        CatalogError, SpecError for the models; SetupError
    """
    _refuse_other(folder)
    measured = None if models is None else model_folder(models, str(models), measurer)
    sizes = BUILT_IN_SIZES if measured is None else Sizes.of(measured.sizes_m)
    place = None if photo is None else read_place(photo, sizes)
    values = tuple(spec_guesses(folder, models, measured, sizes, place))
    text = header(measured) + yaml_text(values)
    with _made(folder), _muted():  # paths through a folder lead nowhere before it is there
        spec_file = check_spec(parse(text, str(folder / SPEC_FILE)), folder.resolve())
        report = survey(spec_file.spec, load_inventory(spec_file, measurer))
        values = _with_distance(values, report.sampled)
        files, unchanged = _write(folder, header(measured) + yaml_text(values))
    return Started(
        folder, files, unchanged, values,
        left_out=() if measured is None else measured.left_out,
        notes=() if measured is None else (*measured.notes, *_wide(sizes)),
        not_read=() if place is None else place.not_read,
        report=report,
    )  # fmt: skip


def _with_distance(guesses: tuple[Guess, ...], sampled: SampledShots) -> tuple[Guess, ...]:
    """State how far away the camera is: it depends on the model, its pose and the lens of each shot."""
    away = f"the camera is {span(*sampled.distance_m)} away in the first {sampled.shots} shots"
    return tuple(
        replace(guess, reason=f"{guess.reason}: {away}") if guess.path == FRAME_FILL_PATH else guess
        for guess in guesses
    )


def _refuse_other(folder: Path) -> None:
    for path in (folder, *folder.parents):
        if path.is_symlink() or path.exists():
            if not path.is_dir():
                raise UsageError(f"{path}: is not a folder; choose another one")
            break
    spec = folder / SPEC_FILE
    if spec.exists() or spec.is_symlink():
        raise UsageError(f"{spec}: exists, and is not replaced; choose another folder, or move that file")


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make the folder; if the block fails, remove what was made."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise_if_passing(folder, error)
        raise UsageError(f"{folder}: cannot be made: {error.strerror}; choose another folder") from None
    try:
        yield
    except BaseException:
        for path in missing:
            with suppress(OSError):
                path.rmdir()
        raise


@contextmanager
def _muted() -> Iterator[None]:
    """Without warnings about the models, which were given when they were measured first."""
    logger = logging.getLogger(blendgen.models.__name__)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _write(folder: Path, text: str) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The files that were written, and those of a person that stay."""
    written, unchanged = [], []
    for name, content in ((SPEC_FILE, text), (IGNORE_FILE, _IGNORED)):
        path = folder / name
        try:
            _write_new(path, content)
            written.append(path)
        except FileExistsError:
            if name == SPEC_FILE:  # since it was looked for
                _refuse_other(folder)
            unchanged.append(path)
        except OSError as error:
            raise_if_passing(path, error)
            raise UsageError(f"{path}: cannot be written: {error.strerror}; choose another folder") from None
    return tuple(written), tuple(unchanged)


def _write_new(path: Path, content: str) -> None:
    """A file that is complete, or not there; raises FileExistsError for any file or link."""
    file = path.open("x", encoding="utf-8")
    try:
        with file:
            file.write(content)
    except BaseException:
        path.unlink()
        raise


def _wide(sizes: Sizes) -> Iterator[str]:
    if sizes.is_wide:
        yield (
            f"the models measure {sizes.text}: each fills the frame alike, the small ones from close up; "
            "if their size tells them apart, set camera.distance_m instead of camera.frame_fill"
        )
