"""Threads of torch do not keep cores busy while they wait, unless the user says so."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("torch")
PROGRAM = """
import os, sys
from blendgen.learn.backbones import require_learn_extra
import blendgen.learn.train, blendgen.refining.refine, blendgen.detection.train
assert "torch" not in sys.modules
require_learn_extra()
print(os.environ["OMP_WAIT_POLICY"])
"""


@pytest.mark.parametrize(("given", "expected"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_sleep_while_they_wait(given, expected):
    own = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=own | given, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == expected
