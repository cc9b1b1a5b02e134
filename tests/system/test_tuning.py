"""Memory that a worker frees stays with it."""

import subprocess
import sys

import pytest

# a block of 24 MB, written and freed over and over
_WORK = """
import resource
import numpy as np
from blendgen.system.tuning import keep_freed_memory
{call}
for _ in range(3):
    np.ones(3 * 2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    a = np.ones(3 * 2**20)
    b = np.ones(3 * 2**20)
    del a, b
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(call: str) -> int:
    done = subprocess.run([sys.executable, "-c", _WORK.format(call=call)], capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another allocator")
def test_memory_that_was_freed_is_used_again_without_page_faults():
    assert faults("keep_freed_memory()") < faults("") / 4
