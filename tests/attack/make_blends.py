"""Write .blend and .fbx files that refer to files outside, one for each way to do so; runs in its own Python.

Arguments: the output folder, and a folder of secrets for absolute paths. Relative paths lead from
given/models of a case to its secret. Ways that this Blender does not support are skipped.
"""

from __future__ import annotations

import sys

import bpy

FOLDER, SECRET = sys.argv[1:3]
NEAR = "//../../secret/"
IMPORTS = {
    "PLY": "secret.ply",
    "OBJ": "secret.obj",
    "STL": "secret.stl",
    "CSV": "secret.csv",
    "Text": "secret.txt",
}


def new():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.mesh.primitive_cube_add(size=0.1)
    box = bpy.context.object
    box.data.materials.append(bpy.data.materials.new("paint"))
    return box


def save(name):
    bpy.ops.wm.save_as_mainfile(filepath=f"{FOLDER}/{name}.blend", compress=False, relative_remap=False)


def save_unevaluated(name):
    """Save without evaluating modifiers that would take forever."""
    bpy.data.libraries.write(f"{FOLDER}/{name}.blend", {bpy.context.scene})
    bpy.context.object.modifiers.clear()


def unpackable(path):
    """An image data-block whose file does not need to exist now."""
    image = bpy.data.images.new("picture", 4, 4)
    image.source = "FILE"
    image.filepath_raw = path
    return image


def painted(box, image):
    material = box.data.materials[0]
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    shader = next(one for one in material.node_tree.nodes if one.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(node.outputs[0], shader.inputs["Base Color"])
    return node


def texture_relative():
    painted(new(), unpackable(f"{NEAR}secret.png"))


def texture_absolute():
    painted(new(), unpackable(f"{SECRET}/secret.png"))


def texture_etc():
    painted(new(), unpackable("/etc/shadow"))


def texture_dev_zero():
    painted(new(), unpackable("/dev/zero"))


def texture_tiles():
    box, image = new(), unpackable(f"{NEAR}secret.<UDIM>.png")
    image.source = "TILED"
    painted(box, image)


def texture_sequence():
    box, image = new(), unpackable(f"{NEAR}secret.png")
    image.source = "SEQUENCE"
    node = painted(box, image)
    node.image_user.use_auto_refresh = True


def unused_image():
    new()
    unpackable(f"{NEAR}secret.png").use_fake_user = True


def environment_texture():
    new()
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    node = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
    node.image = unpackable(f"{NEAR}secret.png")
    bpy.context.scene.world = world


def _import_node(kind, path):
    box = new()
    tree = bpy.data.node_groups.new("nodes", "GeometryNodeTree")
    kinds = {"in_out": "OUTPUT", "socket_type": "NodeSocketGeometry"}
    tree.interface.new_socket("Geometry", **kinds)
    node = tree.nodes.new(f"GeometryNodeImport{kind}")
    node.inputs["Path"].default_value = path
    output = tree.nodes.new("NodeGroupOutput")
    joined = tree.nodes.new("GeometryNodeJoinGeometry")
    cube = tree.nodes.new("GeometryNodeMeshCube")
    tree.links.new(cube.outputs[0], joined.inputs[0])
    if node.outputs[0].type == "GEOMETRY":
        tree.links.new(node.outputs[0], joined.inputs[0])
    else:
        length = tree.nodes.new("FunctionNodeStringLength")
        tree.links.new(node.outputs[0], length.inputs[0])
        tree.links.new(length.outputs[0], cube.inputs["Size"])
    tree.links.new(joined.outputs[0], output.inputs[0])
    box.modifiers.new("nodes", "NODES").node_group = tree


def mesh_cache():
    modifier = new().modifiers.new("cache", "MESH_CACHE")
    modifier.cache_format = "PC2"
    modifier.filepath = f"{NEAR}secret.bin"


def _cache_file(path):
    box = new()
    with open(f"{FOLDER}/made{path[-4:]}", "w") as file:  # noqa: PTH123
        file.write("#usda 1.0\n")
    bpy.ops.cachefile.open(filepath=f"{FOLDER}/made{path[-4:]}")
    cache = bpy.data.cache_files[0]
    cache.filepath = path
    modifier = box.modifiers.new("cache", "MESH_SEQUENCE_CACHE")
    modifier.cache_file, modifier.object_path = cache, "/Box"


def cache_of_usd():
    _cache_file(f"{NEAR}secret.usda")


def cache_of_alembic():
    _cache_file(f"{NEAR}secret.abc")


def linked_library():
    _library("//../../secret/library.blend")


def linked_library_absolute():
    _library(f"{SECRET}/library.blend")


def _library(path):
    new()
    bpy.context.object.name = "wanted"
    bpy.ops.wm.save_as_mainfile(filepath=f"{SECRET}/library.blend", compress=False)
    new()
    with bpy.data.libraries.load(f"{SECRET}/library.blend", link=True) as (_, wanted):
        wanted.objects = ["wanted"]
    bpy.context.scene.collection.objects.link(bpy.data.objects["wanted", f"{SECRET}/library.blend"])
    bpy.data.libraries[0].filepath = path


def font():
    new()
    bpy.ops.object.text_add()
    loaded = bpy.data.fonts.load(f"{bpy.utils.resource_path('LOCAL')}/datafiles/fonts/Inter.woff2")
    loaded.filepath = f"{NEAR}secret.ttf"
    bpy.context.object.data.font = loaded


def sound():
    new()
    bpy.ops.object.speaker_add()
    import wave

    with wave.open(f"{FOLDER}/made.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    loaded = bpy.data.sounds.load(f"{FOLDER}/made.wav")
    loaded.filepath = f"{NEAR}secret.txt"
    bpy.context.object.data.sound = loaded


def movie_clip():
    box = new()
    picture = bpy.data.images.new("clip", 4, 4)
    picture.filepath_raw, picture.file_format = f"{FOLDER}/made.png", "PNG"
    picture.save()
    clip = bpy.data.movieclips.load(f"{FOLDER}/made.png")
    clip.filepath = f"{NEAR}secret.png"
    bpy.data.images.remove(picture)
    box.constraints.new("FOLLOW_TRACK").clip = clip


def volume():
    new()
    made = bpy.data.volumes.new("smoke")
    made.filepath = f"{NEAR}secret.vdb"
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("smoke", made))


def render_output():
    new()
    bpy.context.scene.render.filepath = f"{NEAR}written"


def simulation_cache():
    box = new()
    box.modifiers.new("smoke", "FLUID").fluid_type = "DOMAIN"
    box.modifiers["smoke"].domain_settings.cache_directory = f"{NEAR}cache"


def point_cache():
    box = new()
    box.modifiers.new("cloth", "CLOTH")
    cache = box.modifiers["cloth"].point_cache
    cache.use_disk_cache = True
    cache.use_external = True
    cache.filepath = NEAR


def open_shading_script():
    box = new()
    material = box.data.materials[0]
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeScript")
    node.mode, node.filepath = "EXTERNAL", f"{NEAR}secret.txt"


def profile_of_light():
    new()
    bpy.ops.object.light_add()
    light = bpy.context.object.data
    light.use_nodes = True
    node = light.node_tree.nodes.new("ShaderNodeTexIES")
    node.mode, node.filepath = "EXTERNAL", f"{NEAR}secret.txt"


def driver():
    curve = new().driver_add("location", 0)
    curve.driver.expression = f"__import__('pathlib').Path({SECRET + '/driven'!r}).touch() or 0"


def registered_text():
    new()
    text = bpy.data.texts.new("run.py")
    text.write(f"__import__('pathlib').Path({SECRET + '/ran'!r}).touch()")
    text.use_module = True


def text_outside():
    new()
    text = bpy.data.texts.new("notes")
    text.filepath = f"{NEAR}secret.txt"


def huge_subdivision():
    box = new()
    for _ in range(3):
        modifier = box.modifiers.new("more", "SUBSURF")
        modifier.levels = modifier.render_levels = 11


def huge_array():
    box = new()
    for number in range(4):
        modifier = box.modifiers.new(f"again {number}", "ARRAY")
        modifier.count = 1000


def cyclic_collections():
    new()
    group = bpy.data.collections.new("group")
    bpy.context.scene.collection.children.link(group)
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", group
    group.objects.link(instance)
    group.objects.link(bpy.context.object)


WAYS = (
    texture_relative, texture_absolute, texture_etc, texture_dev_zero, texture_tiles, texture_sequence,
    unused_image, environment_texture, mesh_cache, cache_of_usd, cache_of_alembic, linked_library,
    linked_library_absolute, font, sound, movie_clip, volume, render_output, simulation_cache, point_cache,
    open_shading_script, profile_of_light, driver, registered_text, text_outside,
    huge_subdivision, huge_array, cyclic_collections,
)  # fmt: skip


HUGE = (huge_subdivision, huge_array)


def main():
    for way in WAYS:
        try:
            way()
        except (AttributeError, KeyError, TypeError, RuntimeError, ReferenceError, OSError) as error:
            print(f"no {way.__name__}: {error}")
        else:
            (save_unevaluated if way in HUGE else save)(way.__name__)
    for kind, name in IMPORTS.items():
        for place, path in (("near", NEAR + name), ("absolute", f"{SECRET}/{name}")):
            try:
                _import_node(kind, path)
            except (AttributeError, KeyError, TypeError, RuntimeError) as error:
                print(f"no import of {kind}: {error}")
            else:
                save(f"import_{kind.lower()}_{place}")
    box = new()
    painted(box, unpackable(f"{SECRET}/secret.png"))
    bpy.ops.export_scene.fbx(filepath=f"{FOLDER}/texture.fbx", path_mode="ABSOLUTE")


if __name__ == "__main__":
    main()
