"""Inventory: the models and pictures that a spec samples from, and the errors for those it cannot have."""

import unicodedata

import numpy as np
import pytest
from PIL import Image

from blendgen.draw.backdrop import draw_backdrop
from blendgen.draw.sampler import Sampler
from blendgen.draw.surface import draw_surface
from blendgen.errors import CatalogError, ExitCode, LostLookError, SpecError
from blendgen.models.inventory import load_inventory
from blendgen.models.spec_sources import spec_sources
from blendgen.scene.vocabulary import FAMILIES
from blendgen.spec.load import check_spec
from blendgen.spec.yaml_source import parse
from tests.models.measurers import FakeMeasurer

HEAD = "blendgen: 1\nname: x\nproducts:\n"


@pytest.fixture
def stock(tmp_path, monkeypatch):
    """A spec's products -> its inventory, with a folder `models` of files that are never opened."""
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "models").mkdir()
    for name in ("good", "bad", "fine"):
        (tmp_path / "models" / f"{name}.glb").write_text(name)

    def load(products: str, strict: bool = False):
        """products: what follows `products:` in the spec"""
        return load_inventory(check_spec(parse(HEAD + products, "x.yaml"), tmp_path), FakeMeasurer(), strict)

    return load


def test_a_model_that_cannot_be_used_is_left_out_and_reported(stock):
    inventory = stock("  - directory: models\n")
    assert inventory.class_table.classes == ("fine", "good")
    assert [str(refusal) for refusal in inventory.refusals] == ["models/bad.glb: a point cloud"]


def test_a_model_that_the_spec_names_is_never_missing_in_silence(stock):
    with pytest.raises(CatalogError, match=r"that the spec names cannot be used:\n  models/bad.glb"):
        stock("  - {directory: models, models: [good, bad]}\n")


def test_a_pattern_leaves_out_collision_meshes_and_says_so(stock, tmp_path, caplog):
    (tmp_path / "models" / "good_collision.glb").write_text("collision")
    inventory = stock("  - {directory: models, models: ['g*']}\n")
    assert [product.name for product in inventory.catalog.products] == ["good"]
    assert "models: left out collision meshes: good_collision.glb; `models` in a spec selects" in caplog.text


def test_a_distractor_that_the_spec_names_is_never_missing_in_silence(stock):
    with pytest.raises(CatalogError, match=r"that the spec names cannot be used:\n  models/bad.glb"):
        stock(
            "  - {directory: models, models: [good]}\ndistractors: {directory: models, models: [bad, fine]}\n"
        )


def test_strict_stops_where_a_model_cannot_be_used(stock):
    with pytest.raises(CatalogError, match="--strict: 1 model"):
        stock("  - directory: models\n", strict=True)


def test_strict_stops_where_a_model_would_lack_part_of_its_look(stock, tmp_path):
    for name in ("plain", "half"):
        (tmp_path / "models" / f"{name}.glb").write_text(name)
    whole, lossy = (
        "{directory: models, models: [good, fine]}",
        "{directory: models, models: [fine, plain, half]}",
    )
    for products in (f"  - {lossy}\n", f"  - {whole}\ndistractors: {lossy}\n"):
        assert stock(products).catalog.models
        with pytest.raises(LostLookError, match=r"--strict: 2 model.*would lack part of") as raised:
            stock(products, strict=True)
        message = str(raised.value)
        assert "plain: texture 'wood.png' is missing; the plain colour is shown" in message
        assert "half: grey" in message and raised.value.exit_code == ExitCode.LOST_LOOK == 6
    assert stock(f"  - {whole}\n", strict=True).class_table.classes == ("fine", "good")


def test_a_pattern_leaves_out_what_cannot_be_used_as_a_folder_does(stock):
    inventory = stock("  - {directory: models, models: ['*d.glb', fine.glb]}\n")
    assert [product.name for product in inventory.catalog.products] == ["good", "fine"]
    assert [refusal.source for refusal in inventory.refusals] == ["models/bad.glb"]


def test_two_files_of_one_name_are_an_error_that_names_both(stock, tmp_path):
    for folder in ("king", "queen"):
        (tmp_path / "models" / folder).mkdir()
        (tmp_path / "models" / folder / "clubs.glb").write_text(f"good {folder}")
    with pytest.raises(
        CatalogError, match=r"clubs: models/king/clubs.glb, models/queen/clubs.glb; rename one"
    ):
        stock("  - {directory: models, label: model}\n")
    by_path = stock("  - {directory: models, names: path}\n")
    assert {"king__clubs", "queen__clubs"} < set(by_path.class_table.classes)
    selected = stock("  - {directory: models, models: [king/clubs.glb]}\n")
    assert selected.class_table.classes == ("clubs",)


def test_names_are_compared_in_one_normal_form(stock, tmp_path):
    split = unicodedata.normalize("NFD", "größe")
    (tmp_path / "models" / f"{split}.glb").write_text("good")
    head = f"  - {{directory: models, models: [{split}, good]}}\n"
    inventory = stock(
        f"{head}splits: {{train: 0.5, test: 0.5}}\nhold_out: {{test: {{product: [{split}]}}}}\n"
    )
    assert inventory.class_table.classes == ("good", "größe")


def test_all_faults_of_all_folders_are_reported_with_their_places(stock):
    with pytest.raises(SpecError) as caught:
        stock("  - directory: a\n  - {directory: models, models: [god]}\n  - directory: b\n")
    messages = [str(problem) for problem in caught.value.problems]
    assert [line.split(": ")[0] for line in messages] == ["x.yaml:4:5", "x.yaml:5:34", "x.yaml:6:5"]
    assert "the folder does not exist" in messages[0] and "did you mean good?" in messages[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_built_in_family_has_models(stock, family):
    inventory = stock(f"  - catalog: {family}\n")
    assert len(inventory.class_table.classes) >= 2
    assert {product.folder for product in inventory.catalog.products} == {family}


def test_clutter_may_lie_about_among_itself(stock):
    wanted = "distractors: {catalog: clutter, models: [coin, washer]}\n"
    inventory = stock("  - {catalog: clutter, models: [coin, hex_nut]}\n" + wanted)
    assert inventory.class_table.classes == ("coin", "hex_nut")
    assert [p.name for p in inventory.catalog.distractors] == ["distractor coin", "distractor washer"]


def test_colours_as_classes_need_colourways(stock):
    with pytest.raises(CatalogError, match="label: colorway needs colourways, but fine has none"):
        stock("  - {directory: models, label: colorway}\n")


def test_a_spec_can_give_colourways_and_their_names_are_classes(stock):
    inventory = stock(
        "  - directory: models\n    label: colorway\n    recolor: {red: {body: '#ff0000'}, own: {}}\n"
    )
    assert inventory.class_table.classes == ("own", "red")


def test_a_pattern_that_matches_nothing_is_reported_with_the_nearest_part(stock):
    with pytest.raises(SpecError, match=r"x.yaml:5:21: .*'bdy' matches no part.*did you mean body"):
        stock("  - directory: models\n    recolor: {red: {bdy: '#ff0000'}}\n")


def test_other_colours_make_another_data_set(stock):
    from blendgen.dataset.identity import digest

    spec_file = check_spec(parse(HEAD + "  - directory: models\n", "x.yaml"), None)
    red, blue = (
        stock(f"  - directory: models\n    recolor: {{a: {{body: '{color}'}}}}\n")
        for color in ("#ff0000", "#0000ff")
    )
    assert digest(spec_file.spec, red) != digest(spec_file.spec, blue)


def test_another_pixels_version_makes_another_data_set(stock, monkeypatch):
    from blendgen.dataset import identity

    spec = check_spec(parse(HEAD + "  - directory: models\n", "x.yaml"), None).spec
    inventory = stock("  - directory: models\n")
    before = identity.digest(spec, inventory)
    monkeypatch.setattr(identity, "PIXELS_VERSION", identity.PIXELS_VERSION + 1)
    assert identity.digest(spec, inventory) != before


PANORAMAS = "  - directory: models\nlighting: {environment: {directory: hdri}}\n"


def test_a_folder_of_panoramas_takes_the_place_of_the_built_in_ones(stock, tmp_path):
    from blendgen.dataset.identity import digest
    from blendgen.draw.lighting import draw_environment

    (tmp_path / "hdri").mkdir()
    for name in ("b.hdr", "a.HDR"):
        (tmp_path / "hdri" / name).write_bytes(b"#?RADIANCE")
    (tmp_path / "hdri" / "notes.txt").touch()
    inventory = stock(PANORAMAS)
    spec = check_spec(parse(HEAD + PANORAMAS, "x.yaml"), tmp_path).spec
    drawn = {draw_environment(spec, inventory.catalog, Sampler(0, i, 0)).image for i in range(20)}
    assert drawn == {"a.HDR", "b.hdr"}
    before = digest(spec, inventory)
    (tmp_path / "hdri" / "b.hdr").write_bytes(b"#?RADIANCE other")
    assert digest(spec, stock(PANORAMAS)) != before


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (None, "does not exist"),
        ({}, "contains no .hdr or .exr"),
        ({"a.exr": b"JFIF"}, r"cannot be read.* a.exr .its content does not match its suffix"),
    ],
)
def test_a_folder_without_panoramas_is_reported_with_its_place(stock, tmp_path, files, expected):
    if files is not None:
        (tmp_path / "hdri").mkdir()
        for name, content in files.items():
            (tmp_path / "hdri" / name).write_bytes(content)
    with pytest.raises(SpecError, match=rf"x.yaml:5:26: lighting.environment.directory: .*{expected}"):
        stock(PANORAMAS)


def test_distractors_come_from_their_own_folder_and_have_no_class(stock, tmp_path):
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "good.glb").write_text("a cable")
    inventory = stock("  - directory: models\ndistractors: {directory: junk}\n")
    assert inventory.class_table.classes == ("fine", "good")
    assert [product.name for product in inventory.catalog.distractors] == ["distractor good"]
    with pytest.raises(
        SpecError, match=r"x.yaml:5:15: distractors.directory: nowhere: the folder does not exist"
    ):
        stock("  - directory: models\ndistractors: {directory: nowhere}\n")


def test_distractors_alone_are_nothing_to_label(stock, tmp_path):
    (tmp_path / "only_bad").mkdir()
    (tmp_path / "only_bad" / "bad.glb").write_text("x")
    with pytest.raises(CatalogError, match=r"no product can be used\n  only_bad/bad.glb: a point cloud"):
        stock("  - directory: only_bad\ndistractors: {directory: models}\n")


BACKDROP = "  - directory: models\nbackdrop: {directory: pictures}\n"
SURFACE = "  - directory: models\nsurface: {kind: photo, photos: {directory: pictures, width_m: 0.5}}\n"


def picture(path, size=(40, 30)):
    Image.new("RGB", size, "#808080").save(path)
    return path.read_bytes()


@pytest.mark.parametrize(("spec", "field"), [(BACKDROP, "backdrops"), (SURFACE, "photos")])
def test_photos_are_found_by_name_and_make_another_data_set(stock, tmp_path, spec, field):
    from blendgen.dataset.identity import digest

    folder = tmp_path / "pictures"
    folder.mkdir()
    picture(folder / "b.JPG")
    picture(folder / "a.png")
    (folder / "notes.txt").touch()
    inventory = stock(spec)
    assert list(getattr(inventory.catalog, field)) == ["a.png", "b.JPG"]
    checked = check_spec(parse(HEAD + spec, "x.yaml"), tmp_path).spec
    samplers = [Sampler(0, index, 0) for index in range(20)]
    points = np.array([(0.0, 0.0, 0.0), (0.1, 0.1, 0.1)])
    if field == "backdrops":
        drawn = {draw_backdrop(checked, inventory.catalog, s).image for s in samplers}
    else:
        drawn = {draw_surface(checked, inventory.catalog, points, s).photo.image for s in samplers}
    assert drawn == {"a.png", "b.JPG"}
    before = digest(checked, inventory)
    picture(folder / "a.png", (41, 30))
    assert digest(checked, stock(spec)) != before


@pytest.mark.parametrize("spec", [BACKDROP, SURFACE])
def test_photos_behind_links_out_of_the_folder_need_follow_links(stock, tmp_path, spec):
    (tmp_path / "pictures").mkdir()
    picture(tmp_path / "secret.png")
    (tmp_path / "pictures" / "a.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(
        SpecError, match=r"a.png \(a link that leads out of the folder; .* follow_links: true"
    ):
        stock(spec)
    followed = stock(spec.replace("directory: pictures", "directory: pictures, follow_links: true"))
    assert "a.png" in (followed.catalog.backdrops or followed.catalog.photos)


def test_panoramas_behind_links_out_of_the_folder_need_follow_links(stock, tmp_path):
    (tmp_path / "hdri").mkdir()
    (tmp_path / "secret.hdr").write_bytes(b"#?RADIANCE")
    (tmp_path / "hdri" / "a.hdr").symlink_to(tmp_path / "secret.hdr")
    with pytest.raises(SpecError, match=r"a.hdr \(a link that leads out of the folder"):
        stock(PANORAMAS)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (None, "pictures: the folder does not exist"),
        ({"a.gif": b"x"}, "contains no .jpg"),
        ({"a.jpg": None, "b.heic": b"x"}, "fix or remove them: b.heic .not an image"),
        ({"a.jpg": b"JFIF"}, "cannot be read; fix or remove them: a.jpg .not an image"),
        ({"a.png": None, "b.jpg": "cut"}, "fix or remove them: b.jpg .Truncated"),
    ],
)
@pytest.mark.parametrize(
    ("spec", "place"), [(BACKDROP, r"5:12: backdrop"), (SURFACE, r"5:33: surface.photos")]
)
def test_a_folder_without_sound_photos_is_reported_with_its_place(
    stock, tmp_path, files, expected, spec, place
):
    folder = tmp_path / "pictures"
    if files is not None:
        folder.mkdir()
    for name, content in (files or {}).items():
        whole = picture(folder / name) if content in (None, "cut") else content
        (folder / name).write_bytes(whole[:-300] if content == "cut" else whole)
    with pytest.raises(SpecError, match=rf"x.yaml:{place}.directory: .*{expected}"):
        stock(spec)


def test_phones_are_measured_in_cases_only_where_they_may_wear_one(stock, monkeypatch):
    measured = []
    measure = FakeMeasurer.measure

    def recording(self, jobs):
        measured.append([source.name for source, _ in jobs])
        return measure(self, jobs)

    monkeypatch.setattr(FakeMeasurer, "measure", recording)
    bare = stock("  - {catalog: phones, models: [iphone_8]}\n")
    cased = stock("  - {catalog: phones, models: [iphone_8], case: 0.2}\n")
    assert measured == [["iphone_8"], ["iphone_8 in case"]]
    assert not bare.catalog.products_in_case and list(cased.catalog.products_in_case) == ["iphone_8"]
    assert bare.class_table.classes == cased.class_table.classes == ("iphone_8",)
    assert [p.name for p in cased.catalog.products] == ["iphone_8"]


def test_only_the_section_that_says_so_has_cases(stock):
    inventory = stock(
        "  - {directory: models}\n  - {catalog: phones, models: [iphone_8, iphone_x], case: 1}\n"
    )
    sections = {
        variant.product: variant.section for v in inventory.class_table.variants.values() for variant in v
    }
    assert sections == {"fine": 0, "good": 0, "iphone_8": 1, "iphone_x": 1}


def test_a_bevel_makes_another_model(stock):
    sharp, round_ = (stock(f"  - {{directory: models{more}}}\n") for more in ("", ", bevel_mm: 2"))
    hashes = [[product.content_hash for product in one.catalog.products] for one in (sharp, round_)]
    assert not set(hashes[0]) & set(hashes[1])


SIDECAR = "blendgen_model: 1\nclass: {}\n"


@pytest.fixture
def classes(stock, tmp_path):
    """(products, classes by model) -> the classes of the data set, with sidecars next to the models."""
    (tmp_path / "models" / "bad.glb").unlink()

    def load(products: str, **stated: str):
        for name, text in stated.items():
            (tmp_path / "models" / f"{name}.yaml").write_text(SIDECAR.format(text))
        return stock(products).class_table.classes

    return load


def test_the_class_of_every_model_is_the_label_unless_the_spec_says_otherwise(classes):
    assert classes("  - directory: models\n", good="mug", fine="cup") == ("cup", "mug")
    assert classes("  - {directory: models, label: class}\n") == ("cup", "mug")
    assert classes("  - {directory: models, label: model}\n") == ("fine", "good")


def test_models_of_one_class_are_one_class(classes):
    assert classes("  - directory: models\n", good="mug", fine="mug") == ("mug",)


def test_where_only_some_models_have_a_class_the_label_is_the_model_and_a_warning_says_so(classes, caplog):
    assert classes("  - directory: models\n", good="mug") == ("fine", "good")
    assert "no sidecar states the class of fine: write models/fine.yaml" in caplog.text


def test_a_class_that_is_required_and_missing_is_reported_at_its_place(classes):
    with pytest.raises(
        SpecError, match=r"x.yaml:4:25: products\[0\].label: .* of fine: write models/fine.yaml"
    ):
        classes("  - {directory: models, label: class}\n", good="mug")


def test_the_recolouring_of_the_spec_wins_over_that_of_a_sidecar(stock, tmp_path):
    (tmp_path / "models" / "good.yaml").write_text(
        "blendgen_model: 1\ncolorways: {blue: {body: '#0000ff'}, own: {}}\n"
    )
    names = [c.name for c in stock("  - {directory: models, models: [good]}\n").catalog.products[0].colorways]
    assert names == ["blue", "own"]
    recolor = "  - directory: models\n    models: [good]\n    recolor: {red: {body: '#ff0000'}}\n"
    assert [c.name for c in stock(recolor).catalog.products[0].colorways] == ["red"]


def test_what_a_sidecar_says_of_labels_makes_another_data_set_and_its_comments_do_not(stock, tmp_path):
    from blendgen.dataset.identity import digest

    spec = check_spec(parse(HEAD + "  - directory: models\n    models: [good]\n", "x.yaml"), tmp_path).spec
    sidecars = [
        "class: mug", "class: cup", "parts: {shell: body}", "parts: {skin: body}",
        "colorways: {red: {body: '#ff0000'}}", "class: mug  # again",
    ]  # fmt: skip
    digests = []
    for text in sidecars:
        (tmp_path / "models" / "good.yaml").write_text(f"blendgen_model: 1\n{text}\n")
        digests.append(digest(spec, stock("  - {directory: models, models: [good]}\n")))
    assert len(set(digests)) == 5 and digests[0] == digests[-1]


def test_all_faults_of_all_sidecars_are_reported_before_anything_is_measured(stock, tmp_path):
    for name in ("good", "fine"):
        (tmp_path / "models" / f"{name}.yaml").write_text("blendgen_model: 1\nclas: mug\nunit: inch\n")
    (tmp_path / "models" / "god.yaml").write_text("blendgen_model: 1\n")
    with pytest.raises(SpecError) as caught:
        stock("  - directory: models\n")
    places = [str(problem).split(": ")[0] for problem in caught.value.problems]
    assert places == [
        "models/fine.yaml:2:1", "models/fine.yaml:3:1", "models/god.yaml",
        "models/good.yaml:2:1", "models/good.yaml:3:1",
    ]  # fmt: skip


def test_the_sidecar_of_a_model_that_is_not_asked_for_is_not_read(stock, tmp_path):
    (tmp_path / "models" / "fine.yaml").write_text("blendgen_model: 1\nclas: mug\n")
    assert stock("  - {directory: models, models: [good]}\n").class_table.classes == ("good",)


def test_a_spec_without_a_label_loads_again_as_it_was_recorded(classes, tmp_path):
    from blendgen.spec.load import resolved_yaml

    assert classes("  - directory: models\n", good="mug", fine="cup") == ("cup", "mug")
    spec_file = check_spec(parse(HEAD + "  - directory: models\n", "x.yaml"), tmp_path)
    again = check_spec(parse(resolved_yaml(spec_file.spec), "spec.yaml"), tmp_path)
    assert again.spec == spec_file.spec and again.spec.products[0].label is None


def test_only_a_pile_needs_the_convex_parts_of_models(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mug.glb").write_text("mug")
    folder = "{directory: models}"
    text = f"  - {folder}\n  - catalog: shapes\ndistractors: {folder}\noccluders: {folder}\n"

    def wanting(arrangement: str) -> list[str]:
        spec = parse(f"{HEAD}{text}placement: {{arrangement: {arrangement}}}\n", "x.yaml")
        sources = spec_sources(check_spec(spec, tmp_path)).sources
        return [source.name for source in sources if source.options.get("convex_parts")]

    assert wanting("apart") == []
    assert wanting("pile") == ["mug", "distractor mug"]
