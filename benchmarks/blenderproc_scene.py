"""The BlenderProc side of the comparison; runs in the Python that has BlenderProc.

    python blenderproc_scene.py ORDER.json RESULT.json

ORDER, which blenderproc.py writes, says what is where in each image. Calls, writer and defaults (denoiser,
bounces, persistent data) are those of BlenderProc. This file must not import blendgen.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
import tempfile
import time
from pathlib import Path


def load_blenderproc(temporary):
    """BlenderProc on the installed bpy module, without installing a Blender of its own.

    Released versions use only a Blender that they have installed, and call pip in it at the first import:
    that step is skipped. Newer versions have a variable for it.
    """
    os.environ["USE_EXTERNAL_BPY_MODULE"] = "1"
    os.environ["OUTSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT_BUT_IN_RUN_SCRIPT"] = "1"
    search_path = list(sys.path)
    import blenderproc
    import bpy  # noqa: F401  (before BlenderProc, which removes its folder from the path)
    from blenderproc.python.utility.SetupUtility import SetupUtility

    def setup(*_, **__):
        sys.path[:] = search_path
        SetupUtility.setup_utility_paths(str(temporary))
        return sys.argv

    SetupUtility.setup = staticmethod(setup)
    os.environ["INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"] = "1"
    return importlib.reload(blenderproc)


def initialise(bproc):
    """bproc.init() without the language: the bpy module has none to choose from."""
    import bpy
    from blenderproc.python.utility.Initializer import _Initializer

    bproc.clean_up(clean_up_camera=True)
    bpy.context.scene.render.engine = "CYCLES"
    bproc.renderer.set_render_devices(use_only_cpu=True)
    _Initializer.set_default_parameters()


def make_map_smaller(width_px):
    """Set the size of the map of the panorama's light, for which BlenderProc has no call."""
    import bpy

    world = bpy.context.scene.world.cycles
    world.sampling_method, world.sample_map_resolution = "MANUAL", width_px


class Scene:
    """All objects, loaded once; `arrange` moves, hides and shows them."""

    def __init__(self, bproc, order):
        self._bproc, self._order = bproc, order
        initialise(bproc)
        bproc.renderer.set_cpu_threads(order["threads"])
        bproc.renderer.set_max_amount_of_samples(order["samples"])
        used = sorted({frame["mesh"] for frame in order["frames"]})
        self._products = {name: bproc.loader.load_obj(order["meshes"][name])[0] for name in used}
        self._surface()
        most = max(len(frame["lamps"]) for frame in order["frames"])
        self._lamps = [bproc.types.Light("AREA", f"lamp_{number}") for number in range(most)]
        bproc.renderer.enable_depth_output(activate_antialiasing=False)
        bproc.renderer.enable_segmentation_output(map_by=["instance"])
        self._environment = None
        if order["importance_map_px"]:
            make_map_smaller(order["importance_map_px"])

    def _surface(self):
        plane = self._bproc.object.create_primitive("PLANE", size=4)
        paper = self._bproc.material.create("paper")
        paper.set_principled_shader_value("Base Color", [0.7, 0.7, 0.7, 1.0])
        paper.set_principled_shader_value("Roughness", 0.9)
        plane.replace_materials(paper)

    def arrange(self, frame):
        """Set the product, lamps and environment of a frame."""
        import numpy as np

        for name, product in self._products.items():
            product.hide(name != frame["mesh"])
        self._products[frame["mesh"]].set_local2world_mat(np.array(frame["object_to_world"]))
        for number, lamp in enumerate(self._lamps):
            lamp.hide(number >= len(frame["lamps"]))
            if number < len(frame["lamps"]):
                _set_lamp(lamp, frame["lamps"][number])
        self._set_environment(frame["environment"])

    def focus(self, frame):
        """Set the lens to that of a frame; all frames of a render call share it."""
        import numpy as np

        lens, (width, height) = np.array(frame["intrinsics"]), self._order["resolution"]
        self._bproc.camera.set_intrinsics_from_K_matrix(lens, width, height, 0.01, 1000)

    def look(self, frame, arranged):
        """Add the camera of a frame to the next render call, aimed at the product of another frame."""
        import numpy as np

        camera_to_world = np.array(frame["camera_to_world"])
        there, own = (np.array(one["object_to_world"])[:3, 3] for one in (arranged, frame))
        camera_to_world[:3, 3] += there - own
        self._bproc.camera.add_camera_pose(camera_to_world)

    def render(self):
        """Render and write everything that was added since the last call."""
        data = self._bproc.renderer.render()
        self._bproc.writer.write_hdf5(self._order["out"], data, append_to_existing_output=True)
        self._bproc.utility.reset_keyframes()

    def _set_environment(self, environment):
        """Set the panorama. Its nodes are reused: BlenderProc's call adds new ones for every image."""
        import bpy

        if environment["image"] is None:
            self._bproc.renderer.set_world_background([1.0, 1.0, 1.0], environment["strength"])
            self._environment = None
            return
        turned = [0.0, 0.0, environment["rotation_rad"]]
        if self._environment is None:
            self._bproc.world.set_world_background_hdr_img(
                environment["image"], environment["strength"], turned
            )
        nodes = bpy.context.scene.world.node_tree.nodes
        nodes["Environment Texture"].image = bpy.data.images.load(environment["image"], check_existing=True)
        nodes["Mapping"].inputs["Rotation"].default_value = turned
        nodes["Background"].inputs["Strength"].default_value = environment["strength"]
        self._environment = environment["image"]


def _set_lamp(lamp, values):
    import numpy as np

    lamp.set_local2world_mat(np.array(values["lamp_to_world"]))
    lamp.set_energy(values["power_w"])
    lamp.set_color(values["color_linear"])
    light = lamp.blender_obj.data
    light.shape, light.size, light.size_y = "RECTANGLE", *values["size_m"]


def call_by_call(scene, frames):
    for frame in frames:
        scene.arrange(frame)
        scene.focus(frame)
        scene.look(frame, frame)
        scene.render()


def key_frames(scene, frames):
    """One render call: only the camera varies, around the product of the first frame."""
    scene.arrange(frames[0])
    scene.focus(frames[0])
    for frame in frames:
        scene.look(frame, frames[0])
    scene.render()


def main(order_path, result_path):
    order = json.loads(Path(order_path).read_text())
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as temporary:
        bproc = load_blenderproc(temporary)
        make = key_frames if order["key_frames"] else call_by_call
        scene, warm_up = Scene(bproc, order), order["warm_up"]
        make(scene, order["frames"][:warm_up])
        began_s = time.perf_counter()
        make(scene, order["frames"][warm_up:])
        elapsed_s = time.perf_counter() - began_s
    import bpy

    images = len(order["frames"]) - warm_up
    written = len(list(Path(order["out"]).glob("*.hdf5")))
    assert written == len(order["frames"]) and math.isfinite(elapsed_s), written  # noqa: S101
    versions = {"blenderproc": bproc.__version__, "blender": bpy.app.version_string}
    result = {"images_per_s": images / elapsed_s, "images": images, "versions": versions}
    Path(result_path).write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # Blender shuts down slowly, and sometimes crashes
