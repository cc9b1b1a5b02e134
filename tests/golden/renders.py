"""Golden renders: small pictures by Blender of everything that is built in.

Out: pictures of 48 x 48 pixels by family and name: surfaces and containers, marks of wear, clutter,
occluders, and phones, each from behind and from the front. One Blender renders them all. The seed is fixed
and the noise removed: the PSNR between Blender 4.5 and 5.2 is above 38 dB, except for two marks of wear.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from blendgen.develop.denoise import Denoiser
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.geometry.color import linear_to_srgb
from blendgen.geometry.projection import intrinsics_matrix
from blendgen.models.families.clutter import clutter_sources, occluder_sources
from blendgen.models.families.phones import phone_sources
from blendgen.models.load import load_catalog
from blendgen.models.product import Catalog, Product
from blendgen.scene.condition import Condition, Impact, Sticker
from blendgen.scene.film import Film
from blendgen.scene.ground import Container, Surface, SurfacePhoto
from blendgen.scene.kinds.containers import CONTAINER_KINDS
from blendgen.scene.kinds.stickers import STICKER_KINDS
from blendgen.scene.kinds.surfaces import SURFACE_KINDS
from blendgen.scene.shot import PlacedProduct, Shot
from tests.conftest import make_spec
from tests.engine.conformance import make_camera, make_shot, overhead_lamp, place, rows
from tests.golden.sheet import Pictures, of_this_version, psnr_db, read_sheet, write_sheet

SIDE = 48
SIZE = SIDE, SIDE
FOLDER = Path(__file__).parent / "renders"
LEAST_PSNR_DB = 35.0
# drawn by cells of Blender's Voronoi texture, which lie elsewhere in 4.5 than in 5.2
_VERSIONED = ("cracks", "scratches")
_SAMPLES, _BOUNCES, _THREADS = 16, 2, 2
_PHONE, _PHOTO = "iphone_13_pro", "photo.png"
_MARKS = ("scratches", "fingerprints", "dust", "scuffs", "screen")
# mark -> (extent in metres, middle of the view on the phone) where a close look shows it best
_WHOLE_SCREEN = 0.08, (0.0, 0.0)
_VIEWS = {"scratches": (0.05, (-0.03, 0.0)), "scuffs": (0.03, (0.03, -0.065))}
_BRIGHTER = {"scratches": 4.0}  # on dark glass
_CASES = {"case clear": "clear", "case": "#b8324a"}
_OFFSET_M = (3.0, 7.0)
_GAIN = {"lamp_0": 0.6, "environment": 0.4, "emission": 0.5}


def render_all(
    photo_folder: Path, side: int = SIDE, samples_per_pixel: int = _SAMPLES
) -> dict[str, Pictures]:
    """Family -> pictures. photo_folder: an empty folder for the photo that one surface shows."""
    from blendgen.engine.blender.session.engine import BlenderEngine

    catalog = replace(built_in(), photos={_PHOTO: _photo(photo_folder)})
    render = {"samples_per_pixel": samples_per_pixel, "max_bounces": _BOUNCES, "denoise": True}
    engine = BlenderEngine(catalog, make_spec(render=render).render, 1, _THREADS)
    denoiser, sheets = Denoiser(_THREADS), {}
    for family, name, shot in shots(catalog):
        film = engine.render(_resized(shot, side))
        sheets.setdefault(family, {})[name] = _picture(film, denoiser, _BRIGHTER.get(name, 1.0))
    return sheets


def write_golden() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for family, pictures in render_all(Path(folder)).items():
            write_sheet(FOLDER / f"{family}.png", pictures, _VERSIONED)


def golden() -> dict[str, Pictures]:
    """Family -> pictures of this version of Blender."""
    return {file.stem: of_this_version(read_sheet(file, *SIZE)) for file in sorted(FOLDER.glob("*.png"))}


def differences(before: Pictures, now: Pictures) -> list[str]:
    """One line for each picture that is not like the golden one, worst first."""
    psnr = {name: psnr_db(before[name], now[name]) for name in before.keys() & now.keys()}
    worse = sorted((value, name) for name, value in psnr.items() if value <= LEAST_PSNR_DB)
    return [f"{name}: PSNR {value:.1f} dB, expected more than {LEAST_PSNR_DB:g} dB" for value, name in worse]


def write_difference_sheet(file: Path, before: Pictures, now: Pictures) -> None:
    """A row for each picture that differs: the golden one, the one of now, four times their difference."""
    names = [line.partition(":")[0] for line in differences(before, now)]
    rows = [(before[name], now[name], _difference(before[name], now[name])) for name in names]
    Image.fromarray(np.concatenate([np.concatenate(row, axis=1) for row in rows])).save(file)


def _difference(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    return np.clip(127 + 4 * (now.astype(int) - before), 0, 255).astype(np.uint8)


def built_in() -> Catalog:
    """All built-in items; phones that wear a case are in `products_in_case`."""
    (phone,) = (source for source in phone_sources() if source.name == _PHONE)
    cased = replace(phone, name="cased", options={**phone.options, "in_case": True})
    groups = [clutter_sources(), [*occluder_sources(), cased], phone_sources()]
    with ThreadPoolExecutor() as pool:  # what is not in the cache is measured in three processes
        measured = list(pool.map(lambda sources: load_catalog(sources, BlenderMeasurer()).products, groups))
    *products, in_case = (product for group in (measured[0], measured[2], measured[1]) for product in group)
    return Catalog(tuple(products), products_in_case={_PHONE: in_case})


def shots(catalog: Catalog) -> Iterator[tuple[str, str, Shot]]:
    """(family, name, shot) of every picture."""
    phone = catalog.product(_PHONE)
    back = place(1, phone)
    front = _turned(back)
    for kind in SURFACE_KINDS:
        yield "surfaces", kind, _shot([place(1, phone, yaw_deg=30)], 0.3, surface=_surface(kind))
    for kind in CONTAINER_KINDS:
        container = _container(kind)
        inside = _moved(place(1, phone, yaw_deg=30), (0, 0, container.wall_m))
        yield "surfaces", kind, _shot([inside], 0.5, container=container)
    for name, condition in _conditions().items():
        extent_m, middle_m = _VIEWS.get(name, _WHOLE_SCREEN)
        used = _moved(front, [-value for value in middle_m]).model_copy(update={"condition": condition})
        yield "wear", name, _shot([used], extent_m)
    for name, color in _CASES.items():
        yield "wear", name, _shot([back.model_copy(update={"case": color})], 0.17)
    for product in catalog.products:
        placed = _both_sides(product) if product.folder == "phones" else [place(1, product)]
        yield product.folder, product.name, _shot(placed, _extent_m(placed))


def _resized(shot: Shot, side: int) -> Shot:
    """The same view in `side` x `side` pixels."""
    lens, size = shot.camera, (side, side)
    intrinsics = rows(intrinsics_matrix(lens.focal_length_mm, lens.sensor_width_mm, size))
    return shot.model_copy(
        update={"camera": lens.model_copy(update={"resolution": size, "intrinsics": intrinsics})}
    )


def _both_sides(phone: Product) -> list[PlacedProduct]:
    aside = phone.size_m[0] / 2 + 0.004
    return [place(1, phone, x=-aside), _turned(place(2, phone, x=aside))]


def _turned(placed: PlacedProduct) -> PlacedProduct:
    """The product with its other side up, at its place."""
    pose = np.array(placed.object_to_world) @ np.diag([1.0, -1.0, -1.0, 1.0])
    pose[2, 3] = placed.size_m[2]
    return placed.model_copy(update={"object_to_world": rows(pose)})


def _moved(placed: PlacedProduct, by_m: Sequence[float]) -> PlacedProduct:
    """by_m: (x, y) or (x, y, z)"""
    pose = np.array(placed.object_to_world)
    pose[: len(by_m), 3] += by_m
    return placed.model_copy(update={"object_to_world": rows(pose)})


def _extent_m(placed: list[PlacedProduct]) -> float:
    """The diagonal of the ground that the products cover, roughly."""
    one = placed[0].size_m
    return float(np.hypot(one[0] * len(placed), one[1])) + one[2] / 2


def _shot(placed: list[PlacedProduct], extent_m: float, **changes) -> Shot:
    """A shot that a square of `extent_m` just fills, under the studio and one lamp."""
    height_m = placed[0].size_m[2]
    camera = make_camera(
        azimuth_deg=250,
        elevation_deg=55,
        distance_m=1.45 * extent_m,
        target=(0, 0, height_m / 2),
        resolution=(SIDE, SIDE),
    )
    lamp = overhead_lamp(height_m + 2 * extent_m, 0.8 * extent_m, 0.3 * extent_m)
    plain = {"surface": _surface("paper", wear=0.0, dust=0.0, color_srgb="#b8b8b4")}
    return make_shot(placed, camera, [lamp]).model_copy(update={**plain, **changes})


def _surface(kind: str, **changes) -> Surface:
    photo = (
        SurfacePhoto(image=_PHOTO, width_m=0.2, roughness=0.5) if SURFACE_KINDS[kind].shows_photo else None
    )
    values = {"texture_offset_m": (1.23, 4.56), "yaw_deg": 17.0, "width_m": 0.6, "wear": 0.5, "dust": 0.3}
    return Surface(**{"kind": kind, **values, "color_srgb": None, "photo": photo, **changes})


def _container(kind: str) -> Container:
    color = CONTAINER_KINDS[kind].colors_srgb[1]
    return Container(
        kind=kind, size_m=(0.24, 0.3, 0.06), wall_m=0.003, middle_m=(0, 0), yaw_deg=20, color_srgb=color
    )


def _conditions() -> dict[str, Condition]:
    """Every mark of wear, strong, on a phone that lies with its screen up."""
    marks = {mark: Condition(**{mark: 1.0}, pattern_offset_m=_OFFSET_M) for mark in _MARKS}
    impact = Impact(point_m=(0.02, 0.05, 0.004), normal=(0.0, 0.0, 1.0))
    marks["cracks"] = Condition(cracks=1.0, impact=impact, pattern_offset_m=_OFFSET_M)
    return marks | {f"sticker {kind}": Condition(stickers=(_sticker(kind),)) for kind in STICKER_KINDS}


def _sticker(kind: str) -> Sticker:
    return Sticker(
        kind=kind, center_m=(0.0, 0.02, 0.0), normal=(0.0, 0.0, -1.0), along=(1.0, 0.0, 0.0),
        size_m=(0.05, 0.03), color_srgb="#e8b21c", opacity=0.8, pattern=0.3,
    )  # fmt: skip


def _photo(folder: Path) -> Path:
    """A made-up photo: stripes on a gradient."""
    y, x = np.mgrid[:128, :128]
    rgb = np.stack([x * 2, y * 2, 255 * (x // 16 % 2)], axis=2).astype(np.uint8)
    Image.fromarray(rgb).save(folder / _PHOTO)
    return folder / _PHOTO


def _picture(film: Film, denoiser: Denoiser, gain: float) -> np.ndarray:
    """(h, w, 3) uint8 sRGB, as bright as the lights are."""
    groups = film.radiance_linear
    radiance = sum(_GAIN[name] * light for name, light in groups.items())
    clean = denoiser(radiance, film.albedo_linear, film.normal_world)
    return np.rint(255 * linear_to_srgb(np.clip(gain * clean, 0, 1))).astype(np.uint8)
