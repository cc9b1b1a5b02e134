"""What must be there before images can be made again."""

import pytest

from blendgen.dataset.layout import Layout
from blendgen.engine.device import CPU
from blendgen.errors import DatasetError
from blendgen.farm.recheck import its_device

ON_CPU = {"engine": "cycles", "version": "5.2.0", "device": "cpu", "kernel": "AVX2"}
BY_EEVEE = {**ON_CPU, "engine": "eevee", "graphics_card": "llvmpipe"}


@pytest.mark.parametrize("device", [ON_CPU, BY_EEVEE])
def test_the_device_is_that_of_cycles_whatever_paints(tmp_path, device):
    assert its_device(Layout(tmp_path), {"device": device}) == (CPU,)


def test_of_images_of_two_graphics_cards_nobody_knows_which(tmp_path):
    two = {"device": BY_EEVEE, "also_made_on": [{**BY_EEVEE, "graphics_card": "NVIDIA L4"}]}
    with pytest.raises(
        DatasetError, match=r"\(AVX2, llvmpipe\) and cpu \(AVX2, NVIDIA L4\), and nobody knows"
    ):
        its_device(Layout(tmp_path), two)
