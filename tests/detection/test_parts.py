"""Anchors, assignment, decoding and augmentation: compared with torchvision, and with what boxes must do."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.detection.square import Square
from blendgen.learn.backbones import Preprocessing
from blendgen.learn.features import inference_session
from blendgen.learn.network import lite_blocks
from blendgen.learn.pixels import fitted
from tests.learn.networks import lite_weights

torch = pytest.importorskip("torch")
from blendgen.detection import detector_loss as loss  # noqa: E402
from blendgen.detection.anchors import SCALES, STRIDES, anchors, cells, corners  # noqa: E402
from blendgen.detection.box_augmentation import augmented, moved_images, moved_target  # noqa: E402
from blendgen.detection.graph import CANDIDATES, OUTPUTS, PROBABILITIES, detector_model  # noqa: E402
from blendgen.detection.torch_detector import TorchDetector, new_layers  # noqa: E402

SIDE = 128


@pytest.fixture(scope="module")
def torchvision():
    pytest.importorskip("tests.torchvision_operators")
    return pytest.importorskip("torchvision")


def target(*boxes, labels=None, ignored=()):
    labels = labels or [0] * len(boxes)
    is_ignored = torch.tensor([number in ignored for number in range(len(boxes))])
    return loss.Target(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), torch.tensor(labels), is_ignored
    )


def detector(seed=0, classes=3):
    layers = new_layers(lite_blocks(lite_weights()), classes, torch.Generator().manual_seed(seed))
    model = TorchDetector(layers, True, Preprocessing(SIDE, (127.0,) * 3, (128.0,) * 3)).eval()
    for one in model.modules():  # as after a training
        if isinstance(one, torch.nn.BatchNorm2d):
            one.running_mean += 0.1
    return model


def ordered(rows):
    """Those above the lowest score, of which more may be the same; others may be in another order."""
    return np.unique(rows[rows[:, 0] > rows[:, 0].min()], axis=0)


@pytest.mark.slow
def test_anchors_are_the_default_boxes_of_torchvision(torchvision):
    from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
    from torchvision.models.detection.image_list import ImageList

    maps = [torch.zeros(1, 1, *[cells(SIDE, stride)] * 2) for stride in STRIDES]
    generator = DefaultBoxGenerator([[2, 3]] * len(STRIDES), scales=list(SCALES))
    (expected,) = generator(ImageList(torch.zeros(1, 3, SIDE, SIDE), [(SIDE, SIDE)]), maps)
    assert np.allclose(corners(anchors(SIDE)), expected.numpy(), atol=1e-4)


@pytest.mark.slow
def test_assignment_offsets_and_loss_are_those_of_torchvision(torchvision):
    from torchvision.models.detection import _utils
    from torchvision.models.detection.ssd import SSD
    from torchvision.ops import box_iou

    own = target([8, 8, 60, 70], [50, 40, 120, 126], [3, 90, 20, 110], labels=[1, 0, 2])
    places = torch.from_numpy(anchors(SIDE)).float()
    edges = torch.from_numpy(corners(anchors(SIDE))).float()
    matched = _utils.SSDMatcher(0.5)(box_iou(own.boxes, edges))
    which = loss.assigned(own, edges)
    assert torch.equal(which, matched.clamp(min=loss.BACKGROUND)) and (which >= 0).sum() > 6
    coder, detections = _utils.BoxCoder(weights=(10.0, 10.0, 5.0, 5.0)), which >= 0
    expected = coder.encode_single(own.boxes[which[detections]], edges[detections])
    assert torch.allclose(loss.encoded(own.boxes[which[detections]], places[detections]), expected, atol=1e-3)
    generator = torch.Generator().manual_seed(2)
    offsets, scores = (torch.randn((1, len(edges), n), generator=generator) for n in (4, 4))

    class Whole:
        box_coder, neg_to_pos_ratio = coder, 3

    whole = SSD.compute_loss(
        Whole, [{"boxes": own.boxes, "labels": own.labels + 1}],
        {"bbox_regression": offsets, "cls_logits": scores}, [edges], [matched],
    )  # fmt: skip
    ours = loss.detector_loss(offsets, scores, [own], places, torch.ones(3))
    assert float(ours) == pytest.approx(float(sum(whole.values())), rel=1e-4)


def test_nobody_has_to_find_what_is_ignored_or_learns_that_it_is_background():
    edges = torch.from_numpy(corners(anchors(SIDE))).float()
    both = loss.assigned(target([8, 8, 60, 70], [64, 64, 120, 120], ignored=[1]), edges)
    one = loss.assigned(target([8, 8, 60, 70]), edges)
    assert torch.equal(both >= 0, one >= 0) and not (both == 1).any()
    ignored = both == -2
    assert ignored.sum() > 3 and (one[ignored] == loss.BACKGROUND).all()
    centres = (edges[ignored][:, :2] + edges[ignored][:, 2:]) / 2
    assert (centres > 50).all()


@pytest.mark.slow
def test_the_onnx_model_gives_what_torch_and_torchvision_give(torchvision):
    import onnx
    from torchvision.models.detection._utils import BoxCoder
    from torchvision.ops import batched_nms

    model = detector()
    data = detector_model(model.trained(), True, Preprocessing(SIDE, (127.0,) * 3, (128.0,) * 3), "abc", {})
    graph = onnx.load_model_from_string(data)
    graph.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in (CANDIDATES, PROBABILITIES)
    )
    images = torch.rand((2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(1))
    given = ((images * 255 - 127) / 128).numpy()
    session = inference_session(graph.SerializeToString(), 1)
    picture, boxes, labels, scores, candidates, probabilities = session.run(
        [*OUTPUTS, CANDIDATES, PROBABILITIES], {"image": given}
    )
    with torch.no_grad():
        offsets, classes = model(images)
    assert np.allclose(probabilities, classes.softmax(2).numpy(), atol=1e-5)
    edges = torch.from_numpy(corners(anchors(SIDE))).float()
    for number in range(2):
        decoded = BoxCoder((10.0, 10.0, 5.0, 5.0)).decode_single(offsets[number], edges).clamp(0, SIDE)
        assert np.allclose(candidates[number], decoded.numpy(), atol=1e-3)
        for label in range(3):
            own = torch.from_numpy(probabilities[number, :, label + 1].copy())
            chosen = batched_nms(torch.from_numpy(candidates[number]), own, torch.zeros(len(own)), 0.5)[:100]
            mine = (picture == number) & (labels == label)
            expected = np.column_stack([own[chosen].numpy(), candidates[number][chosen]])
            detections = np.column_stack([scores[mine], boxes[mine]])
            assert len(ordered(detections)) > 9 and np.array_equal(ordered(detections), ordered(expected))


def test_boxes_move_with_their_pictures():
    images = torch.zeros((1, 3, 80, 100))
    images[:, :, 20:40, 30:60] = 1
    scale, shift = torch.tensor([[1.4, 0.8]]), torch.tensor([[0.1, -0.05]])
    moved = moved_images(images, scale, shift)[0, 0] > 0.5
    rows, columns = (torch.nonzero(moved.any(dim=axis)).flatten() for axis in (1, 0))
    box = moved_target(target([30, 20, 60, 40]), scale[0], shift[0], (100, 80)).boxes[0]
    visible = torch.stack([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    assert (box - visible).abs().max() <= 1


def test_what_leaves_the_frame_is_no_longer_to_be_found():
    own = target([10, 10, 30, 30], [70, 10, 90, 30], [90, 60, 100, 80])
    moved = moved_target(own, torch.ones(2), torch.tensor([0.22, 0.0]), (100, 80))
    assert moved.boxes.tolist() == [[32, 10, 52, 30], [92, 10, 100, 30]]
    assert moved.is_ignored.tolist() == [False, False]
    farther = moved_target(own, torch.ones(2), torch.tensor([0.25, 0.0]), (100, 80))
    assert farther.is_ignored.tolist() == [False, True]


def test_augmentation_is_the_same_for_the_same_generator_and_changes_pictures():
    images = torch.rand((3, 3, 64, 64), generator=torch.Generator().manual_seed(3))
    targets = [target([10, 10, 40, 40])] * 3
    first, second = (augmented(images, targets, False, torch.Generator().manual_seed(8)) for _ in range(2))
    assert torch.equal(first[0], second[0]) and not torch.equal(first[0], images)
    assert all(torch.equal(a.boxes, b.boxes) for a, b in zip(first[1], second[1], strict=True))


@pytest.mark.parametrize("size", [(640, 480), (99, 301), (5, 5)])
def test_boxes_go_into_the_square_where_the_pixels_go_and_back(size):
    square = Square(size, 64)
    image = np.zeros((size[1], size[0], 3), np.uint8)
    half = size[0] // 2
    image[:, half:] = 255
    boxes = np.array([[half, 0, size[0], size[1]]], float)
    into = square.into(boxes)[0]
    inside = fitted(image, 64)[32, :, 0] > 127
    assert abs(np.flatnonzero(inside)[0] - into[0]) <= 1
    assert np.allclose(square.back(square.into(boxes)), boxes)
    assert square.back(np.array([[-9.0, -9, 99, 99]])).tolist() == [[0, 0, *size]]
