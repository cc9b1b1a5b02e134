"""Rosters refuse names that would leave the folder of their class."""

from dataclasses import replace

import pytest

from blendgen.catalog.product import Catalog, Colorway
from blendgen.errors import CatalogError
from tests.conftest import make_roster


@pytest.mark.parametrize("name", ["../../evil", "a/b", "a\\b", "..", "."])
@pytest.mark.parametrize("label", ["colorway", "model+colorway", "model"])
def test_a_colourway_that_is_a_path_is_refused(shapes, name, label):
    box = replace(shapes.products[0], colorways=(Colorway(name, {}),))
    with pytest.raises(CatalogError, match="cannot be the name of a folder"):
        make_roster(Catalog((box,)), label)
