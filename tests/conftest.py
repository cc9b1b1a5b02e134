"""Fixtures that several tests share: small catalogues, specs, and the flat engine behind them."""

from __future__ import annotations

import itertools
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blendgen.develop.develop import Developer
from blendgen.engine.flat import FlatEngine
from blendgen.models.class_table import build_class_table
from blendgen.models.product import Catalog, Colorway, MaterialOverride, Measured, Product, StablePose
from blendgen.pipeline import Pipeline
from blendgen.spec.load import check_spec
from blendgen.spec.yaml_source import Document
from blendgen.system.stop_signals import STOP_SIGNALS, handlers_restored

TESTS = Path(__file__).resolve().parent
REPOSITORY = TESTS.parent

# reports take time, and have times in them; the tests of reports write theirs
os.environ["BLENDGEN_NO_REPORT"] = "1"

# a shell that starts the tests in the background lets them, and all they start, ignore Ctrl-C
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# these take longest, most of them in the slow run: they begin first, or one process would be alone with one
# of them in the end
LONGEST = (
    "farm/test_ray.py", "engine/test_eevee.py", "cli/test_generate.py", "golden/test_renders.py",
    "farm/test_slurm_run.py", "test_api_generate.py", "benchmarks/test_main.py", "farm/test_engines.py",
    "workers/test_pool.py", "chaos/test_chaos.py", "test_tutorial.py", "cli/test_workers.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {TESTS / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.fixture(scope="module", autouse=True)
def no_signal_handler_is_left():
    """The tests of the next file run in the same process and must find the same handlers."""
    with handlers_restored():
        before = [signal.getsignal(signum) for signum in STOP_SIGNALS]
        yield
        assert [signal.getsignal(signum) for signum in STOP_SIGNALS] == before


def box_hull(size_m) -> np.ndarray:
    """The eight corners of a box in the product frame."""
    x, y, z = size_m
    return np.array(list(itertools.product((-x / 2, x / 2), (-y / 2, y / 2), (0, z))))


def sphere_hull(diameter_m: float, count: int = 2000) -> np.ndarray:
    """Points spread over a sphere that stands on z = 0 (Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    z = 1 - 2 * i / count
    angle = np.pi * (1 + 5**0.5) * i
    ring = np.sqrt(1 - z * z)
    points = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)
    return points * diameter_m / 2 + [0, 0, diameter_m / 2]


def make_product(name: str, shape: str, size_m, colors=("#3060c0",), folder="") -> Product:
    hull = sphere_hull(size_m[0]) if shape == "sphere" else box_hull(size_m)
    poses = (StablePose(((1, 0, 0), (0, 1, 0), (0, 0, 1)), 1.0),)
    colorways = tuple(Colorway(f"c{i}", {"body": MaterialOverride(c)}) for i, c in enumerate(colors))
    measured = Measured(shape, tuple(size_m), hull, poses, colorways, parts=("body",), triangles=12)
    return Product(name, folder, Path("absent.blend"), name, measured, poses, colorways)


def with_measured(product: Product, **changes) -> Product:
    """The product with other measured values."""
    return replace(product, measured=replace(product.measured, **changes))


@pytest.fixture
def shapes() -> Catalog:
    """A box in two colourways and a sphere; enough for the flat engine."""
    box = make_product("box", "box", (0.1, 0.06, 0.03), ("#c03030", "#3060c0"))
    return Catalog((box, make_product("sphere", "sphere", (0.06, 0.06, 0.06))))


def make_spec(**changes):
    """A small checked Spec; keywords replace top-level keys."""
    values = {
        "blendgen": 1,
        "name": "test",
        "seed": 5,
        "images": 12,
        "resolution": [64, 48],
        "products": [{"catalog": "shapes"}],
        "sensor": "ideal",
        "render": {"samples_per_pixel": 1, "max_bounces": 1, "denoise": False},
        **changes,
    }
    return check_spec(Document("test.yaml", values, {}), Path()).spec


def make_class_table(catalog: Catalog, label: str = "model"):
    return build_class_table((label, product) for product in catalog.products)


@pytest.fixture
def flat_pipeline(shapes):
    """spec -> Pipeline on the flat engine."""

    def build(spec) -> Pipeline:
        developer = Developer(None, spec.exposures_per_shot)
        return Pipeline(spec, shapes, make_class_table(shapes), FlatEngine(shapes, spec.output), developer)

    return build
