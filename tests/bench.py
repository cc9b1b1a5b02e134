"""`make bench`: memory and time of a long session, in one process, printed and written as JSON.

In: nothing, or the number of shots. Measures one Blender process over many shots of the demo
scene at 64 px: growth of its memory, and the time of the last shots against the first. Fails where
either is too much.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from blendgen.cli.options import load, stock
from blendgen.farm.job import Job
from blendgen.farm.worker import pipeline_for, redirect_output
from blendgen.pipeline import Task

SCENE = Path(__file__).resolve().parent.parent / "scenes" / "conveyor_phones.yaml"
WARM_UP = 40
MAX_GROWTH_MB = 30
MAX_SLOWDOWN = 1.25  # of the last quarter against the first; machines are noisy


def measure(shots: int) -> dict[str, float]:
    """Render `shots` shots after a warm-up in which every asset is loaded once."""
    spec_file = load(SCENE, ("render=smoke", "images=100000"), None, None)
    inventory = stock(spec_file, strict=False)
    with tempfile.TemporaryDirectory() as scratch:
        job = Job(spec_file.spec, inventory.catalog, inventory.roster, Path(scratch), Path(scratch) / "log")
        pipeline = pipeline_for(job)
        process, memory_mb, seconds = psutil.Process(), [], []
        for index in range(WARM_UP + shots):
            began = time.perf_counter()
            list(pipeline.frames(Task(index, (index,))))
            seconds.append(time.perf_counter() - began)
            memory_mb.append(process.memory_info().rss / 2**20)
    kept, quarter = seconds[WARM_UP:], max(shots // 4, 1)
    return {
        "shots": shots,
        "memory_growth_mb": round(memory_mb[-1] - memory_mb[WARM_UP - 1], 1),
        "memory_mb": round(memory_mb[-1], 1),
        "shot_ms": round(1000 * sum(kept) / len(kept), 1),
        "last_to_first_quarter": round(sum(kept[-quarter:]) / sum(kept[:quarter]), 3),
    }


def main() -> None:
    terminal = os.dup(1)
    Path("out").mkdir(exist_ok=True)
    redirect_output(Path("out/bench.log"))
    result = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
    text = json.dumps(result, indent=2) + "\n"
    Path("out/bench.json").write_text(text)
    os.write(terminal, text.encode())
    grew, slowed = result["memory_growth_mb"] > MAX_GROWTH_MB, result["last_to_first_quarter"] > MAX_SLOWDOWN
    if grew or slowed:
        sys.exit(f"memory grew by more than {MAX_GROWTH_MB} MB" if grew else "shots became slower")


if __name__ == "__main__":
    main()
