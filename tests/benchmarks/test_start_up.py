"""Commands that do not end are told of in a sentence."""

import pytest

from benchmarks import start_up
from blendgen.errors import BlendgenError


def test_a_command_that_hangs_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(start_up, "_LONGEST_S", 0.01)
    with pytest.raises(BlendgenError, match=r"-m blendgen --help did not end within 0.01 s"):
        start_up.help_s()
