"""Decomposition: a closed mesh -> convex parts (CoACD, Wei et al. 2022), in a process of its own.

A fork does the work: what crashes it, or takes too long, costs the parts only. It uses one thread, so that
the parts do not depend on the number of cores.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time

import numpy as np

from blendgen.engine.blender.importing.forking import fork
from blendgen.geometry.hull import is_flat
from blendgen.system.end_with_parent import end_with_parent
from blendgen.system.sandbox import limit_cpu

# of the half of the largest extent: the depth that a part may have below its own hull
_CONCAVITY = 0.05
# a mug would have 35 and a peg 43; a pile compares the parts of its bodies in pairs
_MOST_PARTS = 24
# with CoACD's own settings a cup, a peg, a ring and an open box take 3 to 12 times as long, a peg more than
# the limit below, and the volume of their parts is the same within 5 %
_SEARCH = {"mcts_nodes": 10, "mcts_iterations": 20, "mcts_max_depth": 2, "resolution": 500}
_LONGEST_CPU_S, _LONGEST_S = 45, 75.0


def decomposed(vertices: np.ndarray, triangles: np.ndarray) -> list[np.ndarray] | None:
    """Vertices (n, 3) of each part; None if the mesh could not be decomposed.

    vertices: (n, 3), largest extent 1; triangles: (t, 3), closed
    """
    readable, writable = os.pipe()
    parent, child = os.getpid(), fork()
    if child == 0:
        os.close(readable)
        _answer_and_exit(vertices, triangles, writable, parent)
    os.close(writable)
    try:
        answer = _read(readable, time.monotonic() + _LONGEST_S)
    finally:
        os.close(readable)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return _unpacked(answer)


def _answer_and_exit(vertices: np.ndarray, triangles: np.ndarray, answer: int, parent: int) -> None:
    try:
        end_with_parent(parent)
        limit_cpu(_LONGEST_CPU_S)
        left = memoryview(_packed(_decomposed(vertices, triangles)))
        while left:
            left = left[os.write(answer, left) :]
    finally:
        os._exit(0)  # Blender's clean-up is only for the parent


def _packed(parts: list[np.ndarray]) -> bytes:
    """How many vertices each part has, a line of JSON, and all vertices."""
    counts = json.dumps([len(part) for part in parts]).encode()
    return counts + b"\n" + np.concatenate(parts).astype(np.float64).tobytes()


def _unpacked(answer: bytes) -> list[np.ndarray] | None:
    """The parts; None if the answer is incomplete."""
    counts, _, numbers = answer.partition(b"\n")
    try:
        ends = np.cumsum(json.loads(counts))
        corners = np.frombuffer(numbers, dtype=np.float64).reshape(-1, 3)
    except ValueError:
        return None
    if not len(ends) or ends[-1] != len(corners):
        return None
    return [part for part in np.split(corners, ends[:-1]) if not is_flat(part)] or None


def _decomposed(vertices: np.ndarray, triangles: np.ndarray) -> list[np.ndarray]:
    os.environ["OMP_NUM_THREADS"] = "1"  # read when the library is loaded
    import coacd

    coacd.set_log_level("off")
    mesh = coacd.Mesh(vertices, triangles)
    parts = coacd.run_coacd(
        mesh, _CONCAVITY, _MOST_PARTS, preprocess_mode="off", max_ch_vertex=64, seed=0, **_SEARCH
    )
    return [corners for corners, _ in parts]


def _read(readable: int, deadline: float) -> bytes:
    """All bytes until the pipe is closed; what there is at the deadline."""
    blocks = []
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([readable], [], [], left)[0]:
            break
        block = os.read(readable, 1 << 16)
        if not block:
            break
        blocks.append(block)
    return b"".join(blocks)
