"""Product names: what a model file is called, by its path alone.

In: the path of a file, relative to the scanned folder. Out: a name that is usable as a folder name. It does
not depend on other files, so it stays when files are added or removed; two files may have the same name,
which load.py reports. Names are in NFC, whatever the file system stores.

The name is the stem of the file. A stem that only says what kind of thing the file is (scene,
model_normalized) gives way to the nearest folder that says more; with a number (model_2, 0007) it follows
that folder. A collision mesh has the name of its product, and a mark. A name that is too long for a folder
is cut, and ends with a digest of all of it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import PurePath
from typing import Literal, get_args

from blendgen.files.names import MAX_NAME_BYTES, is_hidden, nfc

Naming = Literal["file", "path"]
NAMINGS: tuple[Naming, ...] = get_args(Naming)
SEPARATOR = "__"

# What a file is; how it was made; formats, after which folders are named; Unreal's marks of collision meshes;
# untitled, scene, model and object in other languages. docs/models.md lists them.
_WORDS = """
3d 3dmodel 3dmodels asset assets cad geometry item mesh meshes model models obj object objects objs product
scan scene scenes texture textured textures untextured nontextured visual visuals

binary clean compressed decimated default draco embedded export exported exports final google high highpoly
input lod low lowpoly normalized optimized original output poly quantized raw reduced result simplified
source src

3mf blend blends dae fbx glb gltf gltf2 iges off ply step stl usd usda usdc usdz

ubx ucx

untitled unnamed noname ohne titel unbenannt sans titre sin título titulo senza titolo sem без имени
названия 无标题 未命名 無題 名称未設定 제목없음 szene modell modelle objekt objekte scène modèle modèles objet
objets escena modelo modelos objeto objetos scena modello modelli oggetto oggetti сцена модель модели объект
场景 模型 シーン モデル 장면 모델
"""
_OF_COLLISION = """
coacd colisión colisão collider colliders collision collisione collisioni collisions colonly convcolonly
kollision vhacd столкновение 碰撞 碰撞体 コリジョン コライダー 충돌
"""
COLLISION_WORDS = frozenset(_OF_COLLISION.split())
GENERIC_WORDS = COLLISION_WORDS | frozenset(_WORDS.split())
# may follow a word for a collision mesh, as generic words may
_PIECES = frozenset(("box", "capsule", "convex", "hull", "hulls", "part", "parts", "piece", "sphere"))
_UNREAL_HULL = re.compile(r"u[bc]x_.+", re.I)
_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COLLISION = "__collision"  # after the name of a collision mesh, which often is in the folder of its product
# a resolution of textures (16k), a level of detail (LOD0), a version (v2)
_GENERIC_NUMBER = re.compile(r"\d+k|lod\d+|v\d+")
_DIGEST_LENGTH = 8
_RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)


def product_name(path: PurePath, naming: Naming = "file") -> str:
    """The name of a model file.

    path: relative to the scanned folder
    naming: "file" is the rule above; "path" is all folders and the stem, joined by "__"
    """
    parts = (*path.parts[:-1], path.stem)
    if naming == "path":
        return _cut(folder_name(SEPARATOR.join(parts)))
    name = _name(parts) or path.stem
    return _cut(folder_name(f"{name}{_COLLISION}" if is_collision_mesh(path) else name))


def _cut(name: str) -> str:
    """The name; if it is longer than the name of a folder can be, its start and a digest."""
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    end = SEPARATOR + hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
    return name.encode()[: MAX_NAME_BYTES - len(end)].decode(errors="ignore") + end


def is_collision_mesh(path: PurePath) -> bool:
    """Whether a path, or a pattern of paths, says that the file is a stand-in for physics, which nobody wants
    to see."""
    if _UNREAL_HULL.match(path.stem):
        return True
    folders = [words for part in path.parts[:-1] if all(map(_is_generic, words := _words(part)))]
    stems = [_words(path.stem), _words(_CAPITALS.sub(" ", path.stem))]
    return any(map(_ends_with_collision, (*folders, *stems)))


def _ends_with_collision(words: list[str]) -> bool:
    """Whether a word for a collision mesh is the last one, but for numbers and generic words."""
    places = [place for place, word in enumerate(words) if word in COLLISION_WORDS]
    return bool(places) and all(map(_is_generic, words[places[-1] :]))


def _is_generic(word: str) -> bool:
    plain = word.rstrip("0123456789")
    return not plain or word in GENERIC_WORDS or plain in _PIECES or bool(_GENERIC_NUMBER.fullmatch(word))


def _name(parts: tuple[str, ...]) -> str:
    """The name of the last part by those before it; "" if none says anything."""
    if not parts:
        return ""
    *folders, last = parts
    words = _words(last)
    specific = [word for word in words if word not in GENERIC_WORDS and not _GENERIC_NUMBER.fullmatch(word)]
    if any(not word.isdigit() for word in specific):
        return last
    above = _name(tuple(folders))
    if not specific:
        return above
    return f"{above}{SEPARATOR}{last}" if above else last


def _words(text: str) -> list[str]:
    """Words and numbers: 'Model_01' is model, 01; "lod 0" is lod0."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("_", " ")
    plain = re.sub(r"\blod\W*(?=\d)", "lod", plain)
    return [word for token in re.findall(r"\w+", plain) for word in _without_number(token)]


def _without_number(token: str) -> tuple[str, ...]:
    """scene2 -> scene, 2: a generic word stays generic with a number after it."""
    if token in GENERIC_WORDS or _GENERIC_NUMBER.fullmatch(token):
        return (token,)
    word = token.rstrip("0123456789")
    number = token[len(word) :]
    return (word, number) if number and word in GENERIC_WORDS else (token,)


def _visible(letter: str) -> str:
    """The letter; nothing for a mark of writing direction, "_" for any other invisible one."""
    if not is_hidden(letter):
        return letter
    return "" if unicodedata.category(letter) == "Cf" else "_"


def folder_name(text: str) -> str:
    """The text as a folder name that is valid on Linux, macOS and Windows."""
    readable = text.encode("utf-8", "replace").decode()  # a name that is not UTF-8 has lone surrogates
    name = nfc(readable)
    name = re.sub(r'[/\\:*?"<>|]', "_", name)
    name = "".join(_visible(letter) for letter in name)
    name = name.strip(" ").lstrip(".").rstrip(". ").strip(" ") or "_"
    return f"{name}_" if _RESERVED_ON_WINDOWS.fullmatch(name) else name
