"""The arms of the networks benchmark, on a tiny network."""

from __future__ import annotations

import pytest

import blendgen
from benchmarks.learning_arms import ALIGNED, GUESSED, ON_ALL_PHOTOS, PHOTO_ARMS, RENDERS
from blendgen.learn.network import lite_blocks
from blendgen.system.progress import reported_to
from tests.learn.networks import lite_weights

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def tiny(monkeypatch, backbone):
    from benchmarks import network_arms

    threads = torch.get_num_threads()
    monkeypatch.setattr(network_arms, "load_backbone", lambda *_: backbone)
    monkeypatch.setattr(network_arms, "cores", lambda: 1)
    monkeypatch.setattr(
        "blendgen.learn.training_stages.backbone_blocks", lambda _: (lite_blocks(lite_weights()), True)
    )
    yield
    torch.set_num_threads(threads)


def test_each_arm_is_tested_on_the_same_photos_and_a_seed_gives_the_same_again(tmp_path, out, photos):
    from benchmarks.network_arms import Networks

    def networks(folder, progress):
        return Networks(blendgen.open_dataset(out), photos, 0, 32, tmp_path / folder, progress)

    with reported_to(False) as progress:
        own = networks("one", progress)
        renders, others = own.arm(RENDERS), {}
        for name in (GUESSED, *PHOTO_ARMS):
            others |= own.arm(name)
        again = networks("two", progress).arm(RENDERS)
    assert {*renders} == {RENDERS, ALIGNED, ON_ALL_PHOTOS} and again == renders
    assert {*others} == {GUESSED, *PHOTO_ARMS}
    tested = len([*(photos / "test").rglob("*.png")])
    assert {len(one) for one in others.values()} == {tested} == {len(renders[RENDERS]), len(renders[ALIGNED])}
    assert renders[ON_ALL_PHOTOS].endswith(renders[RENDERS])
    assert len(renders[ON_ALL_PHOTOS]) == len([*photos.rglob("*.png")])
