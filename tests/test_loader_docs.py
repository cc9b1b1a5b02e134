"""The Python of docs/loaders.md, run with the libraries that are here."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from blendgen.dataset.fields import FIELDS
from tests.conftest import make_product
from tests.exporters.conftest import Catalog, make_dataset
from tests.markdown import DOCS, blocks, code_spans

PAGE = DOCS / "loaders.md"
# library -> what it needs in addition, and what the blocks print
LIBRARIES = {
    "torch": ("torchvision", ["torch.Size([3, 48, 48]) torch", "1 torch.Size([4, 48, 64, 3]) tensor(["]),
    "tensorflow": ("tensorflow", ["(4, 48, 64, 3) (4, 2, 4)"]),
    "webdataset": ("webdataset", ["(4, 48, 64, 3) ["]),
}


@pytest.mark.parametrize("block", blocks(PAGE, "python"), ids=lambda block: block.name)
def test_every_block_compiles(block):
    compile(block.text, block.name, "exec")


def test_every_field_is_in_the_table():
    assert set(FIELDS) <= {span for _, span in code_spans(PAGE)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("loaders")
    products = (make_product("box", "box", (0.1, 0.06, 0.03)), make_product("ball", "sphere", (0.06,) * 3))
    make_dataset(place / "out", Catalog(products), 24, products_per_image=2)
    return place


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_blocks_of_a_library_work(folder, library):
    needed, printed = LIBRARIES[library]
    for name in (library, needed):
        if not importlib.util.find_spec(name):
            pytest.skip(f"{name} is not installed")
    used = [block for block in blocks(PAGE, "python") if block.info[1:] in ((), (library,))]
    program = "import tests.torchvision_operators\n" * (library == "torch") + "\n".join(
        block.text for block in used
    )
    result = subprocess.run(
        [sys.executable, "-"],
        input=program,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(DOCS.parent)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr
    assert all(text in result.stdout for text in printed), result.stdout
