"""What a worker process inherits from the program that starts it, and what becomes of it when that ends."""

import gc
import multiprocessing.spawn
import subprocess
import sys
import weakref

from blendgen.workers import spawn as module
from tests.conftest import REPOSITORY

BLENDER = "/python/site-packages/bpy/5.2/scripts/modules"


def test_a_worker_gets_neither_the_main_module_nor_the_path_of_blender():
    path = ["/mine", BLENDER, r"C:\bpy\4.5\scripts\startup", "/my/bpy/scripts"]
    sent = {"sys_path": path, "init_main_from_name": "script", "init_main_from_path": "x.py", "dir": "/"}
    assert module._independent(sent) == {"sys_path": ["/mine", "/my/bpy/scripts"], "dir": "/"}


def test_other_processes_of_the_program_start_as_usual(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, BLENDER])
    prepare = multiprocessing.spawn.get_preparation_data
    with module._independent_start():
        other, ours = map(multiprocessing.spawn.get_preparation_data, ("other", "blendgen-worker"))
    assert BLENDER in other["sys_path"] and BLENDER not in ours["sys_path"]
    assert multiprocessing.spawn.get_preparation_data is prepare


PROGRAM = """\
import sys
from pathlib import Path
from blendgen.workers.spawn import close_at_exit, spawn
from tests.workers.failing import hangs_while_probing

def rows():
    try:
        yield "row"
    finally:
        print("closed")

process, pipe = spawn(hangs_while_probing, Path())
kept = rows()
close_at_exit(kept)
print(next(kept))
"""


def test_a_program_ends_even_if_it_keeps_an_unfinished_run():
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=240)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "row\nclosed\n", "")


def test_a_run_that_nobody_keeps_is_closed_at_once():
    closed = []

    def rows():
        try:
            yield 1
        finally:
            closed.append(True)

    run = rows()
    module.close_at_exit(run)
    next(run)
    watch = weakref.ref(run)
    del run
    gc.collect()
    assert closed == [True] and watch() is None
