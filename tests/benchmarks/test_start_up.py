"""Commands that do not end are reported."""

import pytest

from benchmarks import start_up
from blendgen.errors import BlendgenError


def test_a_command_that_hangs_is_reported(monkeypatch):
    monkeypatch.setattr(start_up, "_LONGEST_S", 0.01)
    with pytest.raises(BlendgenError, match=r"-m blendgen --help did not end within 0.01 s"):
        start_up.help_s()
