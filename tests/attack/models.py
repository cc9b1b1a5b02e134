"""Models: files that refer to other places, claim a huge size or never end, and files next to them."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.attack import bombs
from tests.attack.case import Case, Command, Place, harmless, refused, survives
from tests.attack.stock import fifo, link, write_spec
from tests.engine.model_files import BOX, binary_stl, box_bin, glb, gltf, obj, ply, usda

_LIMITS = {"memory_mb": 4000, "seconds": 90}
_PROMISED = {"memory_mb": 9500, "seconds": 150}  # 8 GiB and two minutes for one model, and this program
_BLENDS = (
    *("texture_relative", "texture_absolute", "texture_etc", "texture_dev_zero", "texture_tiles"),
    *("texture_sequence", "unused_image", "environment_texture", "mesh_cache", "cache_of_usd"),
    *("cache_of_alembic", "linked_library", "linked_library_absolute", "font", "sound", "movie_clip"),
    *("volume", "render_output", "simulation_cache", "point_cache", "open_shading_script"),
    *("profile_of_light", "driver", "registered_text", "text_outside", "huge_subdivision", "huge_array"),
    *("cyclic_collections", "import_ply_near", "import_ply_absolute", "import_obj_near", "import_stl_near"),
    *("import_csv_near", "import_csv_absolute", "import_text_near", "import_text_absolute"),
)
_FORMULAS = (b"\n=cmd", b",=cmd")  # a spreadsheet evaluates a cell that starts like this
_SHORT_BLENDS = ("import_ply_absolute",)


def cases() -> Iterator[Case]:
    yield from _gltf()
    yield from _texts()
    for name in _BLENDS:
        yield Case(
            f"blend: {name.replace('_', ' ')}", partial(_blend, f"{name}.blend"), name in _SHORT_BLENDS
        )
    yield Case("fbx: a texture elsewhere", partial(_blend, "texture.fbx"))
    yield from _claims()
    yield from _folders()
    yield from _sidecars()
    yield from _names()


def _models(place: Place) -> Path:
    folder = place.given / "models"
    folder.mkdir(exist_ok=True)
    return folder


def _inspected(place: Place, make=harmless, **limits) -> list[Command]:
    return [make("models", place.given / "models", **{**_LIMITS, **limits})]


def _rendered(place: Place, make=harmless) -> list[Command]:
    """Also rendered as a product in an image."""
    spec = write_spec(place)
    sheet = place.out / "sheet.png"
    place.out.mkdir(exist_ok=True)
    return [*_inspected(place, make), harmless("preview", spec, "-n", "1", "-o", sheet, **_LIMITS)]


# ---- glTF

_URIS: dict[str, Callable[[Place], str]] = {
    "up": lambda place: "../../secret/secret.png",
    "percent": lambda place: "%2e%2e/%2e%2e/secret/secret.png",
    "percent twice": lambda place: "%252e%252e/%252e%252e/secret/secret.png",
    "absolute": lambda place: f"{place.secret}/secret.png",
    "backslash": lambda place: "..\\..\\secret\\secret.png",
    "file URL": lambda place: f"file://{place.secret}/secret.png",
    "http URL": lambda place: "http://127.0.0.1:9/secret.png",
    "a link": lambda place: "link.png",
    "a linked folder": lambda place: "linked/secret.png",
    "/dev/zero": lambda place: "/dev/zero",
    "/proc/self/environ": lambda place: "/proc/self/environ",
    "a pipe": lambda place: "pipe.png",
    "with NUL": lambda place: "secret\0.png",
    "a folder": lambda place: ".",
}


def _gltf() -> Iterator[Case]:
    for name, uri in _URIS.items():
        yield Case(f"glTF: image is {name}", partial(_with_image, uri, "gltf"), name == "up")
        yield Case(f"glTF: buffer is {name}", partial(_with_buffer, uri))
    for name in ("up", "absolute", "a link"):
        yield Case(f"GLB: image is {name}", partial(_with_image, _URIS[name], "glb"))
        yield Case(f"glTF: webp image is {name}", partial(_with_webp, _URIS[name]))
    contents = {
        "deep nodes": _deep_nodes,
        "cyclic nodes": lambda: gltf([{"mesh": 0, "children": [1]}, {"children": [0]}]),
        "a node that is its own child": lambda: gltf([{"mesh": 0, "children": [0]}]),
        "an accessor of 1e12": lambda: _changed(accessors={0: {"count": 10**12}}),
        "a sparse accessor of 1e9": _sparse_accessor,
        "a view past the buffer": lambda: _changed(bufferViews={0: {"byteLength": 10**9}}),
        "a negative offset": lambda: _changed(bufferViews={0: {"byteOffset": -96}}),
        "a buffer of 1e12": lambda: _changed(buffers={0: {"byteLength": 10**12}}),
        "a scene of numbers": lambda: gltf(BOX) | {"scenes": [1, 2], "nodes": "x"},
        "null": lambda: None,
        "names with terminal escapes": lambda: gltf([{"mesh": 0, "name": "\x1b[2J\u202e\x9b31m"}]),
    }
    for name, content in contents.items():
        yield Case(f"glTF: {name}", partial(_content, content))
    yield Case("glTF: 100,000 brackets", partial(_raw, "box.gltf", lambda: bombs.deep(100_000).encode()))


def _prepare_uris(place: Place) -> Path:
    folder = _models(place)
    (folder / "box.bin").write_bytes(box_bin())
    link(folder / "link.png", place.secret / "secret.png")
    link(folder / "linked", place.secret)
    fifo(folder / "pipe.png")
    return folder


def _textured(uri: str, webp: bool = False) -> dict:
    texture = {"source": 0}
    if webp:
        texture = {"extensions": {"EXT_texture_webp": {"source": 0}}}
    content = gltf(BOX) | {
        "images": [{"uri": uri}],
        "textures": [texture],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
    }
    content["meshes"][0]["primitives"][0]["material"] = 0
    return content | ({"extensionsUsed": ["EXT_texture_webp"]} if webp else {})


def _with_image(uri: Callable[[Place], str], kind: str, place: Place) -> list[Command]:
    folder = _prepare_uris(place)
    content = _textured(uri(place))
    if kind == "glb":
        content["buffers"][0].pop("uri")
        (folder / "box.glb").write_bytes(glb(content))
    else:
        (folder / "box.gltf").write_text(json.dumps(content))
    return _inspected(place)


def _with_webp(uri: Callable[[Place], str], place: Place) -> list[Command]:
    folder = _prepare_uris(place)
    (folder / "box.gltf").write_text(json.dumps(_textured(uri(place), webp=True)))
    return _inspected(place)


def _with_buffer(uri: Callable[[Place], str], place: Place) -> list[Command]:
    folder = _prepare_uris(place)
    for name in ("link.png", "linked"):
        (folder / name).unlink()
    link(folder / "link.png", place.secret / "secret.bin")
    link(folder / "linked", place.secret)
    named = uri(place).replace("secret.png", "secret.bin")
    (folder / "box.gltf").write_text(json.dumps(gltf(BOX, named)))
    return _inspected(place, refused)


def _content(make: Callable[[], object], place: Place) -> list[Command]:
    folder = _models(place)
    (folder / "box.bin").write_bytes(box_bin())
    (folder / "box.gltf").write_text(json.dumps(make()))
    return _inspected(place)


def _raw(name: str, make: Callable[[], bytes], place: Place) -> list[Command]:
    (_models(place) / name).write_bytes(make())
    return _inspected(place, refused)


def _deep_nodes(depth: int = 20_000) -> dict:
    return gltf([*({"children": [number + 1]} for number in range(depth)), {"mesh": 0}])


def _changed(**lists: dict[int, dict]) -> dict:
    content = gltf(BOX)
    for name, changes in lists.items():
        for index, change in changes.items():
            content[name][index] |= change
    return content


def _sparse_accessor() -> dict:
    sparse = {
        "count": 1,
        "indices": {"bufferView": 1, "componentType": 5123},
        "values": {"bufferView": 0},
    }
    content = _changed(accessors={0: {"count": 10**9, "sparse": sparse}})
    content["accessors"][0].pop("bufferView")
    return content


# ---- formats of text


def _texts() -> Iterator[Case]:
    for name, path in {
        "up": lambda place: "../../secret/secret",
        "absolute": lambda place: f"{place.secret}/secret",
        "a link": lambda place: "linked/secret",
    }.items():
        yield Case(f"OBJ: mtllib is {name}", partial(_obj, path, "library"))
        yield Case(f"OBJ: map_Kd is {name}", partial(_obj, path, "texture"))
        for way in _USD:
            yield Case(f"USD: {way} is {name}", partial(_usd, way, path), (way, name) == ("references", "up"))
    yield Case("OBJ: mtllib is a pipe", _obj_pipe)
    yield Case("OBJ: mtllib is /dev/zero", _obj_zero)
    yield Case(
        "OBJ: a face of 1e9 corners' number", partial(_raw_any, "box.obj", lambda: _obj_of_odd_faces())
    )


def _obj(path: Callable[[Place], str], way: str, place: Place) -> list[Command]:
    folder = _models(place)
    link(folder / "linked", place.secret)
    library = f"{path(place)}.mtl" if way == "library" else "box.mtl"
    picture = f"{path(place)}.png"
    (folder / "box.mtl").write_text(f"newmtl paint\nmap_Kd {picture}\nmap_Bump -bm 1 {picture}\n")
    (folder / "box.obj").write_text(obj(header=f"mtllib {library}\nusemtl paint"))
    return _inspected(place)


def _obj_pipe(place: Place) -> list[Command]:
    folder = _models(place)
    fifo(folder / "box.mtl")
    (folder / "box.obj").write_text(obj(header="mtllib box.mtl\nusemtl paint"))
    return _inspected(place)


def _obj_zero(place: Place) -> list[Command]:
    folder = _models(place)
    (folder / "box.obj").write_text(obj(header="mtllib /dev/zero\nmtllib box.mtl\nusemtl paint"))
    link(folder / "box.mtl", "/dev/zero")
    return _inspected(place)


def _obj_of_odd_faces() -> bytes:
    return (obj() + "f 1 2 999999999999999999999\nf -9 -99 -999999999\nl 1 2 3\n").encode()


def _raw_any(name: str, make: Callable[[], bytes], place: Place) -> list[Command]:
    (_models(place) / name).write_bytes(make())
    return _inspected(place)


_USD: dict[str, str] = {
    "references": 'def "Box" (references = @{path}.usda@)\n{{\n}}\n',
    "payload": 'def "Box" (payload = @{path}.usda@)\n{{\n}}\n',
    "subLayers": "",
    "clips": """def Xform "Clips" (
    clips = {{ dictionary default = {{
        asset[] assetPaths = [@{path}.usda@]
        string primPath = "/Box"
        double2[] active = [(0, 0)]
        double2[] times = [(0, 0)]
        asset manifestAssetPath = @{path}.usda@
    }} }}
)
{{
}}
""",
    "variants": """def "Box" (
    variants = {{ string look = "a" }}
    prepend variantSets = "look"
)
{{
    variantSet "look" = {{ "a" (references = @{path}.usda@) {{ }} }}
}}
""",
    "texture": """def Material "Paint"
{{
    token outputs:surface.connect = </Paint/Shader.outputs:surface>
    def Shader "Shader"
    {{
        uniform token info:id = "UsdPreviewSurface"
        color3f inputs:diffuseColor.connect = </Paint/Picture.outputs:rgb>
        token outputs:surface
    }}
    def Shader "Picture"
    {{
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @{path}.png@
        float3 outputs:rgb
    }}
}}
""",
    "light": 'def DomeLight "Sky"\n{{\n    asset inputs:texture:file = @{path}.png@\n}}\n',
    "volume": """def Volume "Smoke"
{{
    rel field:density = </Smoke/density>
    def OpenVDBAsset "density"
    {{
        asset filePath = @{path}.vdb@
        token fieldName = "density"
    }}
}}
""",
}


def _usd(way: str, path: Callable[[Place], str], place: Place) -> list[Command]:
    folder = _models(place)
    link(folder / "linked", place.secret)
    text = usda(0.01, "Z")
    if way == "subLayers":
        text = text.replace("(\n", f"(\n    subLayers = [@{path(place)}.usda@]\n", 1)
    if way == "texture":
        text = text.replace('"Box"\n{', '"Box" (\n    prepend apiSchemas = ["MaterialBindingAPI"]\n)\n{\n'
                            "    rel material:binding = </Paint>")  # fmt: skip
    if way == "volume":
        (place.secret / "secret.vdb").write_text(place.token)
    (folder / "box.usda").write_text(text + _USD[way].format(path=path(place)))
    return _inspected(place)


# ---- what Blender writes


def _blend(name: str, place: Place) -> list[Command]:
    made = place.stock / "blends" / name
    if made.exists():  # not every version of Blender supports all of them
        shutil.copy(made, _models(place))
    else:
        (_models(place) / "box.obj").write_text(obj())
    (place.secret / "secret.1001.png").write_bytes((place.secret / "secret.png").read_bytes())
    for suffix in ("ttf", "vdb", "abc", "wav"):
        (place.secret / f"secret.{suffix}").write_text(place.token)
    for library in (place.stock / "absolute").glob("*.blend"):
        shutil.copy(library, place.secret)
    return _inspected(place, **(_PROMISED if name == "huge_subdivision.blend" else {}))


# ---- claims


def _claims() -> Iterator[Case]:
    claims = {
        "an STL of 4e9 triangles": ("box.stl", _huge_stl),
        "an STL of 5e8 triangles": ("box.stl", lambda: bytes(80) + struct.pack("<I", 5 * 10**8)),
        "a PLY of 1e9 points": ("box.ply", lambda: ply().replace("vertex 8", "vertex 1000000000").encode()),
        "a PLY of 1e18 points": ("box.ply", lambda: ply().replace("vertex 8", f"vertex {10**18}").encode()),
        "a PLY of -1 faces": ("box.ply", lambda: ply().replace("face 12", "face -1").encode()),
        "a GLB of 4 GB": ("box.glb", _huge_glb),
        "a GLB with a chunk of 4 GB": ("box.glb", _huge_chunk),
        "a GLB of 12 bytes": ("box.glb", lambda: glb(gltf(BOX, None))[:12]),
    }  # fmt: skip
    for name, (file, make) in claims.items():
        yield Case(f"claims: {name}", partial(_raw_any, file, make), name == "an STL of 4e9 triangles")
    for suffix in ("glb", "gltf", "obj", "stl", "ply", "fbx", "usdc", "usdz", "blend", "abc"):
        yield Case(f"claims: an empty {suffix}", partial(_empty, suffix))
    for suffix in ("stl", "ply", "obj", "glb", "blend", "gltf"):
        yield Case(f"claims: a sparse {suffix} of 1 TB", partial(_sparse, suffix))
    for side in (20_000, 60_000):
        yield Case(f"claims: a texture of {side} x {side}", partial(_texture_bomb, side))
    for target in ("/dev/zero", "/proc/self/mem", "/etc/shadow", "a pipe", "a secret", "itself", "a folder"):
        for suffix in ("glb", "obj"):
            yield Case(f"claims: a {suffix} that is {target}", partial(_odd_model, suffix, target))


def _huge_glb() -> bytes:
    whole = glb(gltf(BOX, None))
    return whole[:8] + b"\xff\xff\xff\xff" + whole[12:]


def _huge_chunk() -> bytes:
    return glb(gltf(BOX, None))[:12] + b"\xff\xff\xff\xffJSON{}"


def _huge_stl() -> bytes:
    return bytes(80) + struct.pack("<I", 2**32 - 1) + binary_stl()[84:]


def _empty(suffix: str, place: Place) -> list[Command]:
    (_models(place) / f"box.{suffix}").touch()
    return _inspected(place, refused)


def _sparse(suffix: str, place: Place) -> list[Command]:
    starts = {
        "stl": binary_stl(),
        "ply": ply().encode(),
        "obj": obj().encode(),
        "blend": b"BLENDER17-01v0502",
    }
    start = starts.get(suffix, glb(gltf(BOX, None)))
    bombs.sparse(_models(place) / f"box.{suffix}", start, 10**12)
    return _inspected(place)


def _texture_bomb(side: int, place: Place) -> list[Command]:
    folder = _models(place)
    (folder / "box.bin").write_bytes(box_bin())
    (folder / "bomb.png").write_bytes(bombs.png_bomb(side) if side < 30_000 else bombs.png_claim(side))
    (folder / "box.gltf").write_text(json.dumps(_textured("bomb.png")))
    return _rendered(place)


def _odd_model(suffix: str, target: str, place: Place) -> list[Command]:
    path = _models(place) / f"odd.{suffix}"
    if target == "a pipe":
        fifo(path)
    elif target == "a folder":
        path.mkdir()
    elif target == "itself":
        link(path, path)
    else:
        link(path, place.secret / "secret.obj" if target == "a secret" else target)
    return _inspected(place, refused)


# ---- folders


def _folders() -> Iterator[Case]:
    yield Case("folders: link to one another", _circle, True)
    yield Case("folders: a link to the root", partial(_linked_folder, "/"))
    yield Case("folders: a link to a secret", partial(_linked_folder, ""))
    yield Case("folders: 5,000 files of one name", _many)
    yield Case("folders: 2,000 folders deep", _deep_folders)


def _circle(place: Place) -> list[Command]:
    folder = _models(place)
    for one, other in (("a", "b"), ("b", "a")):
        (folder / one).mkdir()
        link(folder / one / "on", folder / other)
    (folder / "a" / "box.obj").write_text(obj())
    link(folder / "self", ".")
    return _inspected(place)


def _linked_folder(target: str, place: Place) -> list[Command]:
    folder = _models(place)
    (folder / "box.obj").write_text(obj())
    link(folder / "on", target or place.secret)
    return [*_inspected(place), harmless("check", write_spec(place), **_LIMITS)]


def _many(place: Place) -> list[Command]:
    folder = _models(place)
    for number in range(5000):
        one = folder / f"{number:04d}"
        one.mkdir()
        (one / "model.obj").write_text("")
    return _inspected(place, refused)


def _deep_folders(place: Place) -> list[Command]:
    folder = _models(place)
    (folder / "box.obj").write_text(obj())
    for _ in range(1500):  # as deep as a path of the system can be
        if len(str(folder)) > 3900:
            break
        folder = folder / "d"
        folder.mkdir()
    return _inspected(place)


# ---- sidecars


def _sidecars() -> Iterator[Case]:
    texts = {
        "deep YAML": lambda: "blendgen_model: 1\nparts: " + bombs.deep(50_000),
        "deep YAML blocks": lambda: "blendgen_model: 1\nparts:\n" + "- " * 50_000 + "a\n",
        "billion laughs": lambda: "blendgen_model: 1\n" + bombs.laughs(),
        "a python object": lambda: "blendgen_model: !!python/object/apply:os.system ['touch ran']\n",
        "a number of 1e6 digits": lambda: "blendgen_model: " + "9" * 1_000_000,
        "a class that is a path": lambda: "blendgen_model: 1\nclass: ../../victim\n",
        "a class with escapes": lambda: 'blendgen_model: 1\nclass: "a\\e[2J\\u202eb"\n',
        "a slow pattern": lambda: "blendgen_model: 1\nparts: {a: '" + "*a" * 40 + "b'}\n",
        "a class that is itself": lambda: "blendgen_model: 1\nclass: &a [*a]\n",
        "a merge of itself": lambda: "blendgen_model: 1\nparts: &a {<<: *a}\n",
    }
    for name, text in texts.items():
        yield Case(f"sidecar: {name}", partial(_sidecar_text, text), name == "billion laughs")
    for kind in ("a pipe", "/dev/zero", "a secret", "200 MB", "a folder"):
        yield Case(f"sidecar: is {kind}", partial(_sidecar_file, kind), kind == "a pipe")


def _sidecar_text(text: Callable[[], str], place: Place) -> list[Command]:
    write_spec(place)
    (place.given / "models" / "box.yaml").write_text(text())
    return _inspected(place, refused)


def _sidecar_file(kind: str, place: Place) -> list[Command]:
    write_spec(place)
    path = place.given / "models" / "box.yaml"
    if kind == "a pipe":
        fifo(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "200 MB":
        bombs.fill(path, "# comment\n", 200, "blendgen_model: 1\n")
    else:
        link(path, place.secret / "secret.yaml" if kind == "a secret" else kind)
    make = harmless if kind == "a folder" else refused
    return [*_inspected(place, make), make("check", place.given / "spec.yaml", **_LIMITS)]


# ---- names of files


def _names() -> Iterator[Case]:
    for name, stem in {
        "escapes": "a\x1b[2Jb\x07",
        "a newline": "a\nb",
        "a carriage return": "a\rb",
        "bidi": "a\u202eb",
        "C1": "a\u009b31mb",
        "bytes that are not UTF-8": b"a\xff\xfeb".decode("utf-8", "surrogateescape"),
        "a formula": "=cmd|' !A1'",
        "dots": "...",
        "a minus": "-rf",
        "250 letters": "a" * 250,
    }.items():
        yield Case(f"names: {name}", partial(_named, stem), name == "escapes")


def _named(stem: str, place: Place) -> list[Command]:
    spec = write_spec(place)
    folder = place.given / "models"
    (folder / "box.obj").rename(folder / f"{stem}.obj")
    data = place.out / "set"
    commands = [
        *_inspected(place),
        harmless("check", spec, **_LIMITS),
        harmless("generate", spec, "-n", "1", "-o", data, "--workers", "1", **_LIMITS),
    ]
    if stem.isprintable():
        commands += [
            # a file whose name starts with a dot is hidden, so there is no model and no data set
            harmless("verify", data) if stem.startswith(".") else survives("verify", data),
            harmless("export", data, "csv", place.out / "csv", "--quote-formulas", unsaid=_FORMULAS),
        ]
    return commands
