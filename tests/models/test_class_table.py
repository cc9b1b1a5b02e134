"""Class tables refuse names that would leave the folder of their class."""

import unicodedata
from dataclasses import replace

import pytest

from blendgen.errors import CatalogError
from blendgen.models.product import Catalog, Colorway
from tests.conftest import make_class_table


@pytest.mark.parametrize("name", ["../../evil", "a/b", "a\\b", "..", "."])
@pytest.mark.parametrize("label", ["colorway", "model+colorway", "model"])
def test_a_colourway_that_is_a_path_is_refused(shapes, name, label):
    box = replace(shapes.products[0], colorways=(Colorway(name, {}),))
    with pytest.raises(CatalogError, match="cannot be the name of a folder"):
        make_class_table(Catalog((box,)), label)


ODD = {
    "": "is empty",
    "a\x1b[2Jb": r"invisible control character \(U\+001B\)",
    "a\u202eb": r"invisible control character \(U\+202E\)",
    "a\nb": r"invisible control character \(U\+000A\)",
    "a\udcffb": r"invisible control character \(U\+DCFF\)",
    "x" * 256: "is longer than 255 bytes",
}


@pytest.mark.parametrize("name", ODD)
def test_a_colourway_that_no_folder_can_be_called_is_refused(shapes, name):
    box = replace(shapes.products[0], colorways=(Colorway(name, {}),))
    with pytest.raises(CatalogError, match=f"cannot be the name of a folder: it .*{ODD[name]}.*rename it"):
        make_class_table(Catalog((box,)), "model")


@pytest.mark.parametrize("name", [name for name in ODD if name])
@pytest.mark.parametrize(
    "label, field, cure",
    [
        ("folder", "folder", "rename the model's folder"),
        ("class", "model_class", "rename the class in its sidecar"),
        ("model", "name", "rename the model"),
    ],
)
def test_a_class_that_no_folder_can_be_called_is_refused(shapes, name, label, field, cure):
    box = replace(shapes.products[0], **{field: name})
    with pytest.raises(CatalogError, match=f"cannot be the name of a class: it .*{ODD[name]}.*{cure}"):
        make_class_table(Catalog((box,)), label)


def test_a_class_and_a_colourway_may_be_too_long_together(shapes):
    box = replace(shapes.products[0], name="b" * 200, colorways=(Colorway("c" * 60, {}),))
    assert make_class_table(Catalog((box,)), "model").classes == ("b" * 200,)
    with pytest.raises(CatalogError, match="is longer than 255 bytes"):
        make_class_table(Catalog((box,)), "model+colorway")


def test_classes_that_differ_only_by_letter_case_are_refused(shapes):
    box, sphere = shapes.products
    products = (replace(box, folder="Mugs"), replace(sphere, folder="mugs"))
    with pytest.raises(CatalogError, match="'Mugs' and 'mugs' differ only by letter case; rename one"):
        make_class_table(Catalog(products), "folder")


def test_a_class_is_in_the_composed_form(shapes):
    box = replace(shapes.products[0], model_class=unicodedata.normalize("NFD", "größe"))
    assert make_class_table(Catalog((box,)), "class").classes == ("größe",)
