"""Networks of the layouts that blendgen knows, with random weights and few channels."""

from __future__ import annotations

import hashlib
import pickle
import struct

import numpy as np

from blendgen.learn.backbones import Backbone, Preprocessing
from blendgen.learn.network import feature_model, lite_blocks

WIDTHS = (4, 4, 6, 6, 8, 8, 10)  # of the stages of EfficientNet-Lite
KERNELS = (3, 3, 5, 3, 5, 5, 3)
LITE0 = (1, 2, 2, 3, 3, 4, 1)
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {np.dtype("<f4"): b"FloatStorage", np.dtype("<i8"): b"LongStorage"}


def lite_weights(stem: int = 8, head: int = 24) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    weights: dict[str, np.ndarray] = {}

    def add(conv: str, norm: str, shape: tuple[int, ...]) -> None:
        weights[f"{conv}.weight"] = rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype("<f4")
        weights[f"{norm}.weight"] = rng.uniform(0.6, 1.6, shape[0]).astype("<f4")
        weights[f"{norm}.bias"] = rng.uniform(0, 0.5, shape[0]).astype("<f4")
        weights[f"{norm}.running_mean"] = rng.normal(0, 0.1, shape[0]).astype("<f4")
        weights[f"{norm}.running_var"] = rng.uniform(0.2, 1.0, shape[0]).astype("<f4")

    add("_conv_stem", "_bn0", (stem, 3, 3, 3))
    number, inputs = 0, stem
    for stage, (repeats, width, kernel) in enumerate(zip(LITE0, WIDTHS, KERNELS, strict=True)):
        for _ in range(repeats):
            own, inner = f"_blocks.{number}", inputs if stage == 0 else 2 * inputs
            if stage:
                add(f"{own}._expand_conv", f"{own}._bn0", (inner, inputs, 1, 1))
            add(f"{own}._depthwise_conv", f"{own}._bn1", (inner, 1, kernel, kernel))
            add(f"{own}._project_conv", f"{own}._bn2", (width, inner, 1, 1))
            number, inputs = number + 1, width
    add("_conv_head", "_bn1", (head, inputs, 1, 1))
    return weights


def tiny_backbone(folder, side_px: int = 48) -> Backbone:
    """A backbone with random weights; the same at each call."""
    data = feature_model(lite_blocks(lite_weights()), True, "tiny").SerializeToString()
    path = folder / "tiny.onnx"
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    preprocessing = Preprocessing(side_px, (127.0,) * 3, (128.0,) * 3)
    return Backbone("tiny", "tiny-package", "1.2", digest, "none", preprocessing, digest, path)


def torch_file(arrays: dict[str, np.ndarray]) -> bytes:
    """A file as torch before 1.6 wrote it, without torch."""
    system = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}
    head = b"".join(pickle.dumps(one, 2) for one in (MAGIC, PROTOCOL, system))
    tensors = b"".join(_text(name) + _tensor(str(n), array) for n, (name, array) in enumerate(arrays.items()))
    keys = pickle.dumps([str(number) for number in range(len(arrays))], 2)
    values = b"".join(struct.pack("<q", array.size) + array.tobytes() for array in arrays.values())
    return head + b"\x80\x02}(" + tensors + b"u." + keys + values


def _tensor(key: str, array: np.ndarray, offset: int = 0) -> bytes:
    storage = b"ctorch\n" + STORAGES[array.dtype] + b"\n"
    pid = b"(" + _text("storage") + storage + _text(key) + _text("cpu") + _number(array.size) + b"NtQ"
    shape = b"(" + b"".join(map(_number, array.shape)) + b"t"
    steps = [step // array.itemsize for step in array.strides]
    strides = b"(" + b"".join(map(_number, steps)) + b"t"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + _number(offset) + shape + strides + b"\x89}tR"


def _text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)
