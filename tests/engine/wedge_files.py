"""Writers of one wedge, in many formats, near the origin and far from it.

The wedge measures 0.3 x 0.2 x 0.1 along x, y and z.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile

import numpy as np

from tests.engine.model_files import obj

# easting, northing, height: single precision has steps of half a metre there
UTM = np.array([448262.45, 5411932.7, 112.4])
# not symmetric under rotations or reflections
NEAR = np.array([(0, 0, 0), (0.3, 0, 0), (0, 0.2, 0), (0.07, 0.05, 0.1)])
CORNERS = NEAR + UTM
FACES = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
NAN, INF = float("nan"), float("inf")


def ascii_stl(corners=CORNERS) -> str:
    facets = [
        "facet normal 0 0 0\n outer loop\n"
        + "".join(f"  vertex {x!r} {y!r} {z!r}\n" for x, y, z in np.asarray(corners)[list(face)].tolist())
        + " endloop\nendfacet\n"
        for face in FACES
    ]
    return f"solid wedge\n{''.join(facets)}endsolid wedge\n"


def binary_stl(corners=CORNERS) -> bytes:
    facets = [struct.pack("<12fH", 0, 0, 0, *np.asarray(corners)[list(f)].ravel(), 0) for f in FACES]
    return bytes(80) + struct.pack("<I", len(facets)) + b"".join(facets)


def ply(form: str, kind: str = "double", corners=CORNERS, faces_first: bool = False, faces=FACES) -> bytes:
    """A PLY file with a property before the coordinates, and one after them."""
    vertex = f"element vertex {len(corners)}\nproperty uchar red\n" + "".join(
        f"property {kind} {axis}\n" for axis in "xyz"
    )
    face = f"element face {len(faces)}\nproperty list uchar int vertex_indices\n"
    elements = face + vertex if faces_first else vertex + face
    header = f"ply\nformat {form} 1.0\ncomment x nan\n{elements}end_header\n".encode()
    order = ">" if "big" in form else "<"
    code = {"double": "d", "float": "f", "int": "i"}[kind]
    if form == "ascii":
        rows = [f"7 {x!r} {y!r} {z!r}\n".encode() for x, y, z in np.asarray(corners).tolist()]
        ends = [f"{' '.join(map(str, (len(face), *face)))}\n".encode() for face in faces]
    else:
        rows = [struct.pack(f"{order}B3{code}", 7, *corner) for corner in np.asarray(corners).tolist()]
        ends = [struct.pack(f"{order}B{len(face)}i", len(face), *face) for face in faces]
    return header + b"".join([*ends, *rows] if faces_first else [*rows, *ends])


# Z up is Y up in glTF: x, z, -y
Y_UP = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
NEAR_GLTF, UTM_GLTF = NEAR @ Y_UP.T, UTM @ Y_UP.T


def gltf(nodes: list[dict], meshes=((NEAR_GLTF, FACES),), with_bounds: bool = True, **more) -> dict:
    """A glTF document with its data inside; the first node is the root."""
    data, views, accessors, made = b"", [], [], []
    for points, faces in meshes:
        points = np.asarray(points, dtype="<f4")
        for array, kind, component in ((points, "VEC3", 5126), (np.array(faces, "<u4"), "SCALAR", 5125)):
            views.append({"buffer": 0, "byteOffset": len(data), "byteLength": array.nbytes})
            count = len(array) if kind == "VEC3" else array.size
            accessor = {
                "bufferView": len(accessors),
                "componentType": component,
                "count": count,
                "type": kind,
            }
            bounds = {"min": array.min(axis=0).tolist(), "max": array.max(axis=0).tolist()}
            accessors.append(accessor | (bounds if kind == "VEC3" and with_bounds else {}))
            data += array.tobytes()
        attributes = {"POSITION": len(accessors) - 2}
        made.append({"primitives": [{"attributes": attributes, "indices": len(accessors) - 1}]})
    uri = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    content = {"asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "scene": 0, "nodes": nodes}
    content |= {"meshes": made, "buffers": [{"byteLength": len(data), "uri": uri}]}
    return content | {"bufferViews": views, "accessors": accessors} | more


def deep_nodes() -> list[dict]:
    """A group at the origin, one that is turned, one far away, and each half of the wedge in its own node."""
    far = np.eye(4)
    far[:3, 3] = np.array([UTM_GLTF[1], -UTM_GLTF[0], UTM_GLTF[2]]) / 2  # turned back by 90 degrees, halved
    return [
        {"children": [1]},
        {"children": [2], "rotation": [0, 0, np.sqrt(0.5), np.sqrt(0.5)], "scale": [2, 2, 2]},
        {"children": [3, 4], "matrix": far.T.ravel().tolist()},
        {"mesh": 0, "rotation": [0, 0, -np.sqrt(0.5), np.sqrt(0.5)], "scale": [0.5, 0.5, 0.5]},
        {"mesh": 1, "rotation": [0, 0, -np.sqrt(0.5), np.sqrt(0.5)], "scale": [0.5, 0.5, 0.5],
         "translation": [0, -0.05, 0]},
    ]  # fmt: skip


HALVES = ((NEAR_GLTF, FACES[:2]), (NEAR_GLTF - [0.1, 0, 0], FACES[2:]))
PLACE = {"translation": UTM_GLTF.tolist()}
CENTER = {"extensions": {"CESIUM_RTC": {"center": [1, 2, 3]}}, "extensionsRequired": ["CESIUM_RTC"]}
GLTF = {
    "root.gltf": gltf([PLACE | {"children": [1]}, {"mesh": 0}]),
    "without bounds.gltf": gltf([{"mesh": 0} | PLACE], with_bounds=False),
    "deep.gltf": gltf(deep_nodes(), HALVES),
    "center.gltf": gltf([{"mesh": 0} | PLACE], extensionsUsed=["CESIUM_RTC"], **CENTER),
}
FAR = {
    **{name: json.dumps(content).encode("utf-16") for name, content in GLTF.items()},
    "plain.obj": obj(CORNERS.tolist(), FACES).encode(),
    "ecef.obj": obj((NEAR + [4.2e6, 1.7e5, 4.78e6]).tolist(), FACES).encode(),
    "a stray point.obj": obj([*CORNERS.tolist(), (0, 0, 0)], FACES).encode(),
    "tabs.obj": obj(CORNERS.tolist(), FACES).replace("v ", " v\t").replace("\n", "  # nan\r\n").encode(),
    "continued.obj": obj(CORNERS.tolist(), FACES).replace(" 5411", " \\\n 5411").encode(),
    "text.stl": ascii_stl().encode(),
    "capitals.stl": ascii_stl().upper().encode(),
    "text.ply": ply("ascii"),
    "little.ply": ply("binary_little_endian"),
    "big.ply": ply("binary_big_endian"),
}


def usda(body: str, animated: bool = False) -> str:
    times = "startTimeCode = 10\nendTimeCode = 20\n" if animated else ""
    return f'#usda 1.0\n(\nmetersPerUnit = 1\nupAxis = "Z"\n{times})\n{body}'


def usd_mesh(points=NEAR, more: str = "", kind: str = "point3f", values: str = "") -> str:
    indices = ", ".join(str(i) for face in FACES for i in face)
    return f"""def Mesh "Wedge"
{{
    int[] faceVertexCounts = [3, 3, 3, 3]
    int[] faceVertexIndices = [{indices}]
    {values or f"{kind}[] points = {usd_points(points)}"}
    {more}
}}
"""


def usd_points(points) -> str:
    return "[" + ", ".join(str(tuple(point)) for point in np.asarray(points).tolist()) + "]"


def usd_moved(value: str, name: str = "translate") -> str:
    order = f'uniform token[] xformOpOrder = ["xformOp:{name}"]'
    return f"double3 xformOp:{name}{value}\n{order}"


def usd_instance(name: str, of: str) -> str:
    return f'def "{name}" (\ninstanceable = true\nprepend references = </{of}>\n)\n{{\n}}\n'


def three_mf(corners=CORNERS) -> bytes:
    core = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
    vertices = "".join(f'<vertex x="{x!r}" y="{y!r}" z="{z!r}"/>' for x, y, z in corners.tolist())
    triangles = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in FACES)
    mesh = f"<mesh><vertices>{vertices}</vertices><triangles>{triangles}</triangles></mesh>"
    objects = f'<resources><object id="1" type="model">{mesh}</object></resources>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        build = '<build><item objectid="1"/></build>'
        archive.writestr("3D/3dmodel.model", f'<model unit="meter" xmlns="{core}">{objects}{build}</model>')
    return file.getvalue()


def off(corners=CORNERS) -> bytes:
    rows = [f"{x!r} {y!r} {z!r}" for x, y, z in corners.tolist()] + [f"3 {a} {b} {c}" for a, b, c in FACES]
    return "\n".join(["OFF", f"{len(corners)} {len(FACES)} 0", *rows, ""]).encode()


AT_UTM = usd_moved(f" = {tuple(UTM.tolist())}")
INSTANCE = usd_instance("A", "Made") + 'class Xform "Made"\n{\n'
FAR |= {
    "wedge.3mf": three_mf(),
    "wedge.off": off(),
    "moved.usda": usda(usd_mesh(more=AT_UTM)).encode(),
    "group.usda": usda(f'def Xform "G"\n{{\n{AT_UTM}\n{usd_mesh()}}}\n').encode(),
    "points.usda": usda(usd_mesh(CORNERS)).encode(),
    "doubles.usda": usda(usd_mesh(CORNERS, kind="point3d")).encode("utf-16"),
    "instance.usda": usda(f"{INSTANCE}{usd_mesh(more=AT_UTM)}}}").encode("utf-8-sig"),
    "instances in an instance.usda": usda(
        f'{INSTANCE}{usd_instance("B", "Part")}}}\ndef Xform "Part"\n{{\n{usd_mesh(more=AT_UTM)}}}'
    ).encode(),
    "far only at rest.usda": usda(
        usd_mesh(more=usd_moved(f".timeSamples = {{0: (0, 0, 0), 10: {tuple(UTM.tolist())}}}")), True
    ).encode(),
}

# coordinates in the file, where they are not CORNERS
OWN = {"ecef.obj": NEAR + [4.2e6, 1.7e5, 4.78e6], **dict.fromkeys(GLTF, CORNERS @ Y_UP.T)}


def animated_gltf(path: str, values: list[list[float]]) -> bytes:
    """Two wedges, one of which is 1 m off at rest and elsewhere in all frames."""
    content = gltf([{"children": [1, 2]}, {"mesh": 0}, {"mesh": 0, "translation": [1, 0, 0]}])
    times = {"componentType": 5126, "count": 1, "type": "SCALAR", "min": [0], "max": [0]}
    data = np.array([0, *np.ravel(values)], dtype="<f4").tobytes()
    uri = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    content["buffers"].append({"byteLength": len(data), "uri": uri})
    first = len(content["bufferViews"])
    content["bufferViews"] += [
        {"buffer": 1, "byteLength": 4},
        {"buffer": 1, "byteOffset": 4, "byteLength": len(data) - 4},
    ]
    content["accessors"] += [times | {"bufferView": first}]
    content["accessors"] += [{"componentType": 5126, "count": 1, "type": "VEC3", "bufferView": first + 1}]
    channel = {"sampler": 0, "target": {"node": 2, "path": path}}
    sampler = {"input": len(content["accessors"]) - 2, "output": len(content["accessors"]) - 1}
    content["animations"] = [{"channels": [channel], "samplers": [sampler]}]
    return json.dumps(content).encode()


_LATER = ".timeSamples = {0: (2, 0, 0), 10: (1, 0, 0), 20: (5, 0, 0)}"
_OFF, _AGAIN = NEAR * [13 / 3, 1, 1], NEAR * 5
AT_REST = {
    "translated.gltf": animated_gltf("translation", [[5, 0, 0]]),
    "scaled.gltf": animated_gltf("scale", [[0, 0, 0]]),
    "first frame.usda": usda(
        usd_mesh() + usd_mesh(more=usd_moved(_LATER)).replace("Wedge", "B"), True
    ).encode(),
    "default.usda": usda(
        usd_mesh()
        + usd_mesh(
            more="double3 xformOp:translate = (1, 0, 0)\n" + usd_moved(_LATER.replace("10:", "11:"))
        ).replace("Wedge", "B"),
        True,
    ).encode(),
    "points.samples.usda": usda(
        usd_mesh(
            values=f"point3f[] points.timeSamples = {{10: {usd_points(_OFF)}, 20: {usd_points(_AGAIN)}}}"
        ),
        True,
    ).encode(),
}

AT_REST |= {
    f"animated {kind}.usda": usda(
        f'{usd_mesh()}{INSTANCE}{part}}}\nclass Xform "Part"\n{{\n{moving}}}', True
    ).encode()
    for moving in [usd_mesh(more=usd_moved(_LATER)).replace("Wedge", "M")]
    for kind, part in {"instance": moving, "instance in an instance": usd_instance("B", "Part")}.items()
}

_NAN_POINT = usd_points(NEAR).replace("0.07", "nan")
UNUSABLE_USD = {
    "nan point.usda": usda(usd_mesh(values=f"point3f[] points = {_NAN_POINT}")).encode(),
    "nan transform.usda": usda(usd_mesh(more=usd_moved(" = (inf, 0, 0)"))).encode(),
    "refers to single precision.usda": usda('def "A" (references = @points.usda@</Wedge>)\n{\n}').encode(),
}
