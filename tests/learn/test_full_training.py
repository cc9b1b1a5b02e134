"""All layers are trained by torch, on a tiny network; an interrupted training goes on and ends alike."""

from __future__ import annotations

import json

import numpy as np
import pytest

import blendgen
from blendgen.errors import UsageError
from blendgen.learn.features import inference_session
from blendgen.learn.network import feature_model, lite_blocks
from blendgen.learn.pixels import network_input
from blendgen.learn.run_folder import CHECKPOINT
from tests.learn.networks import lite_weights

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.usefixtures("backbone"), pytest.mark.slow]
SETTINGS = {"epochs": 2, "seed": 4}


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other are slow where other tests use the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    monkeypatch.setattr(
        "blendgen.learn.training_stages.backbone_blocks", lambda _: (lite_blocks(lite_weights()), True)
    )


class Killed(Exception):
    pass


class Killer:
    """A Progress that ends a training after some epochs."""

    def __init__(self, epochs):
        self.left, self.lines = epochs, []

    def begin(self, total, unit="image"): ...

    def advance(self, count): ...

    def note(self, text):
        self.lines.append(text)
        self.left -= 1
        if self.left == 0:
            raise Killed


@pytest.fixture(scope="package")
def trained(place):
    return place / "all layers"


def test_all_layers_are_trained_and_evaluated(trained, out, photos, backbone):
    run = blendgen.train(out, trained, real=photos, unknown=photos / "test", **SETTINGS)
    facts = run.record["tuning"]
    assert {*facts["cross_validation"]} == {"photos_alone", "with_renders", "frozen"}
    best = min(facts["cross_validation"].items(), key=lambda one: one[1]["log_loss"])[0]
    assert facts["chosen"] == best
    if run.is_tuned:
        assert len(facts["history"]["renders"]) <= 2 and run.record["recipe"] is None
    assert not (trained / CHECKPOINT).exists() and "torch" in run.record["versions"]
    result = blendgen.evaluate(trained, photos).facts
    assert result["accuracy"]["right"] == result["models"]["float"]["accuracy"]["right"]
    assert len(blendgen.classify(trained, photos / "test")) == 12
    arms = blendgen.evaluate(trained, photos, arms=True, seeds=1).facts["arms"]
    assert arms["test_photos"] == 12 and arms["worth"]["sentence"]


def test_the_model_computes_what_torch_computes(place, out, backbone):
    from blendgen.learn.torch_network import TorchClassifier

    run = blendgen.train(out, place / "renders", **SETTINGS)
    assert run.is_tuned and run.record["tuning"]["chosen"] == "renders"
    image = blendgen.open_dataset(out).image(5)
    pixels = network_input(image, backbone.preprocessing)[None]
    session = inference_session(run.model.read_bytes())
    features, scores = session.run(["features", "scores"], {"image": pixels})
    frozen = inference_session(backbone.path.read_bytes()).run(None, {"image": pixels})[0]
    assert np.abs(features - frozen).max() > 1e-3
    assert np.allclose(run.head.scores(features), scores, atol=1e-4)
    assert blendgen.quantize(run.folder).model.exists()

    model = TorchClassifier(lite_blocks(lite_weights()), True, run.head, backbone.preprocessing).eval()
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for values in model.network.parameters():
            values += 0.05 * torch.from_numpy(rng.normal(size=values.shape)).float()
        levels = torch.from_numpy(rng.uniform(0, 1, (2, 3, 48, 48))).float()
        expected = model.features(levels).numpy()
    made = feature_model(model.network.trained(), True, "test").SerializeToString()
    own = (levels.numpy() * 255 - 127) / 128
    assert np.abs(inference_session(made).run(None, {"image": own})[0] - expected).max() < 1e-4
    assert np.allclose(model.linear_head().weight, run.head.weight / run.head.temperature, atol=1e-5)


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_training_that_was_killed_goes_on_and_ends_alike(place, out, photos, epochs):
    """While it trains on renders, and on what comes after them."""
    whole = blendgen.train(out, place / f"whole {epochs}", real=photos, ratio=1.0, **SETTINGS)
    folder, killer = place / f"killed {epochs}", Killer(epochs)
    with pytest.raises(Killed):
        blendgen.train(out, folder, real=photos, ratio=1.0, progress=killer, **SETTINGS)
    assert (folder / CHECKPOINT).exists() and len(killer.lines) == epochs
    rest = Killer(0)
    again = blendgen.train(out, folder, real=photos, ratio=1.0, progress=rest, **SETTINGS)
    assert not {*killer.lines} & {*rest.lines}
    assert np.array_equal(again.head.weight, whole.head.weight)
    assert again.model.read_bytes() == whole.model.read_bytes()
    assert again.record["tuning"] == whole.record["tuning"]


def test_another_training_does_not_go_on_from_a_checkpoint(place, out):
    folder = place / "others"
    with pytest.raises(Killed):
        blendgen.train(out, folder, progress=Killer(1), **SETTINGS)
    first = Killer(0)
    blendgen.train(out, folder, progress=first, epochs=2, seed=5)
    assert first.lines[0].startswith("renders: epoch 1 of 2")
    (folder / CHECKPOINT).write_bytes(b"damaged")
    assert blendgen.train(out, folder, **SETTINGS).is_tuned


def test_everything_at_once_is_a_comparison(place, out, photos):
    run = blendgen.train(out, place / "naive", real=photos, naive=True, epochs=1)
    assert run.record["tuning"]["chosen"] == "naive" and run.record["tuning"]["cross_validation"] is None
    with pytest.raises(UsageError, match="leave head_only"):
        blendgen.train(out, place / "naive", head_only=True, naive=True)


def test_unlabelled_photos_align_the_head_and_set_the_threshold(place, out, photos):
    run = blendgen.train(out, place / "unlabelled", unlabelled=photos / "test", **SETTINGS)
    assert run.record["open_set"]["known"] == "photos without labels"
    assert any("feature mean and spread" in note for note in run.record["notes"])
    assert [*run.record["tuning"]["history"]] == ["renders"]


def test_photos_with_pseudo_labels_are_trained_on_and_stay_unlabelled_to_everybody_else(place, out, photos):
    settings = {"unlabelled": photos / "test", "pseudo_labels": True, **SETTINGS}
    run = blendgen.train(out, place / "pseudo", **settings)
    assert run.record["tuning"]["chosen"] == "pseudo_labels"
    assert [*run.record["tuning"]["history"]] == ["renders", "pseudo_labels"]
    assert any("of 12 photos without labels were trained on" in note for note in run.record["notes"])
    assert run.record["open_set"]["known"] == "photos without labels"
    notes = blendgen.evaluate(run.folder, photos).facts["notes"]
    assert any(
        note.startswith("12 of the photos were given to the training without labels") for note in notes
    )

    folder, killer = place / "pseudo, killed", Killer(3)  # after the renders
    with pytest.raises(Killed):
        blendgen.train(out, folder, progress=killer, **settings)
    assert blendgen.train(out, folder, **settings).model.read_bytes() == run.model.read_bytes()
    with pytest.raises(UsageError, match="needs unlabelled"):
        blendgen.train(out, folder, pseudo_labels=True, **SETTINGS)


def test_a_single_photo_of_a_class_is_not_compared(place, out, photos, tmp_path):
    for folder in (photos / "train").iterdir():
        (tmp_path / folder.name).mkdir()
        first = min(path for path in folder.iterdir() if path.suffix == ".png")
        (tmp_path / folder.name / first.name).write_bytes(first.read_bytes())
    run = blendgen.train(out, place / "single", real=tmp_path, **SETTINGS)
    assert run.record["tuning"]["chosen"] == "with_renders"
    assert any("too few to compare" in note for note in run.record["notes"])


def test_the_page_shows_each_epoch(trained, out, photos):
    page = (trained / "run.html").read_text("utf-8")
    assert "Training of all layers" in page and "epoch" in page and "loss, as a share of" in page
    record = json.loads((trained / "run.json").read_text("utf-8"))
    assert all(one["loss"] > 0 for history in record["tuning"]["history"].values() for one in history)


def images(count: int = 6) -> object:
    return torch.rand((count, 3, 40, 40), generator=torch.Generator().manual_seed(1))


def test_changed_pictures_follow_from_the_seed_and_stay_pictures():
    from blendgen.learn.augmentation import augmented

    first, again, other = (
        augmented(images(), False, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == (6, 3, 40, 40) and first.min() >= 0 and first.max() <= 1


def test_colours_stay_where_they_are_the_class():
    from blendgen.learn.augmentation import augmented

    colour = torch.tensor([0.6, 0.4, 0.2]).reshape(1, 3, 1, 1)
    flat = colour.expand(64, 3, 32, 32).clone()

    def hue(is_colour_class: bool) -> object:
        """How much more red than blue there is, of all light."""
        mean = augmented(flat, is_colour_class, torch.Generator().manual_seed(0)).mean((2, 3))
        return (mean[:, 0] - mean[:, 2]) / mean.sum(1)

    assert hue(True).std() < 0.6 * hue(False).std()
    assert (hue(False) > 0).all()  # red does not become blue


def test_a_model_in_two_classes_means_that_colour_is_the_class(out):
    from blendgen.learn.training_material import is_colour_class

    data = blendgen.open_dataset(out)
    assert not is_colour_class(data)
    rows = [*data.rows()]
    product = rows[0].objects.product[0]
    other = next(row for row in rows if row.objects.product[0] != product)
    objects = other.objects.model_copy(update={"product": (product,) * len(other.objects)})

    class Recoloured:
        def rows(self):
            return [rows[0], other.model_copy(update={"objects": objects})]

    assert is_colour_class(Recoloured())
