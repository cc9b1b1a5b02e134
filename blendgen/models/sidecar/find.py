"""Find: which YAML file beside a model is its sidecar. Opens only files that could be one.

A sidecar is `mug.yaml` or `mug.glb.yaml` beside `mug.glb`, or `model.yaml` in a folder that holds
just that model; `.yml` will do. What leaves a doubt is a Problem that tells the way out: a sidecar is
never passed over in silence. A spec of blendgen that lies among the models is none, nor is a `model.yaml`
that has none of the keys: other programs have such files, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from blendgen.errors import Problem, did_you_mean
from blendgen.files.regular_file import links_outside, open_regular
from blendgen.models.scan import MODEL_SUFFIXES, model_suffix
from blendgen.models.sidecar.schema import KEYS, MARK

SUFFIXES = (".yaml", ".yml")
FOR_A_FOLDER = "model"
_MAX_BYTES = 1_000_000  # no sidecar is larger
_MARKED = re.compile(rf"^[\s{{]*[\"']?{MARK}[\"']?\s*:", re.M)
_KEYED = re.compile(rf"^(?:{{\s*)?[\"']?({'|'.join(map(re.escape, KEYS))})[\"']?\s*:", re.M)
_SPEC = re.compile(r"^[\"']?blendgen[\"']?\s*:", re.M)


def sidecar_files(models: Iterable[Path], shown: dict[Path, str]) -> tuple[dict[Path, Path], list[Problem]]:
    """The sidecar of each model that has one, and what is wrong with the choice.

    models: model files, all of their folders
    shown: folder -> how messages name it
    """
    chosen: dict[Path, Path] = {}
    problems: list[Problem] = []
    by_folder: dict[Path, list[Path]] = {}
    for model in models:
        by_folder.setdefault(model.parent, []).append(model)
    for folder, here in by_folder.items():
        files = _yaml_files(folder)
        claimants = _claimants(files, here)
        claims: dict[Path, list[Path]] = {model: [] for model in here}
        for file, of in claimants.items():
            for model in of:
                claims[model].append(file)
        problems += _doubts(claims, claimants, here, shown[folder])
        chosen |= {
            model: found[0]
            for model, found in claims.items()
            if len(found) == 1 and len(claimants[found[0]]) == 1
        }
    return chosen, problems


def sidecar_name(model: Path) -> Path:
    """Where a new sidecar of a model belongs: `mug.yaml`, or `mug.glb.yaml` beside another mug or a spec."""
    alike = [file for file in model.parent.iterdir() if file.stem.casefold() == model.stem.casefold()]
    rivals = sum(model_suffix(file) in MODEL_SUFFIXES for file in alike) > 1
    usual = model.with_suffix(".yaml")
    return Path(f"{model}.yaml") if rivals or (usual.is_file() and is_spec(usual)) else usual


def is_sidecar(file: Path) -> bool:
    """Whether a YAML file says that it is one, or is no spec and is called after a model beside it."""
    if _MARKED.search(_text(file)):
        return True
    models = (one for one in file.absolute().parent.iterdir() if model_suffix(one) in MODEL_SUFFIXES)
    names = {name.casefold() for model in models for name in (model.name, model.stem)}
    return file.stem.casefold() in names and not is_spec(file)


def _claimants(files: list[Path], here: list[Path]) -> dict[Path, list[Path]]:
    """The models that each YAML file says, by its name, to belong to."""
    by_name: dict[str, list[Path]] = {}
    for model in here:
        for name in {model.name.casefold(), model.stem.casefold()}:
            by_name.setdefault(name, []).append(model)
    alone = len(here) == 1
    return {
        file: by_name.get(file.stem.casefold()) or (here if alone and _is_for_folder(file) else [])
        for file in files
    }


def _yaml_files(folder: Path) -> list[Path]:
    """The YAML files of a folder that are no specs, by name."""
    files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith(".")]
    return sorted(file for file in files if not file.is_dir() and not is_spec(file))


def _text(file: Path) -> str:
    """Its text as far as it can be read; reading it as a sidecar will tell what is wrong."""
    if links_outside(file):
        return ""
    try:
        with open_regular(file) as opened:
            return opened.read(_MAX_BYTES).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


def is_spec(file: Path) -> bool:
    """Whether a YAML file says that it is a spec of blendgen."""
    text = _text(file)
    return bool(_SPEC.search(text)) and not _MARKED.search(text)


def _doubts(
    claims: dict[Path, list[Path]], claimants: dict[Path, list[Path]], here: list[Path], folder: str
) -> list[Problem]:
    problems = []
    for model, found in claims.items():
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            problems.append(
                _problem(folder, found[1], f"{model.name} has several sidecars: {names}; keep one")
            )
    for file, of in claimants.items():
        if len(of) > 1:
            ways = " or ".join(f"{model.name}{file.suffix}" for model in of)
            told = f"belongs to {' and '.join(model.name for model in of)} alike; call it {ways}"
            problems.append(_problem(folder, file, told))
        elif not of and (_MARKED.search(_text(file)) or _is_for_folder(file)):
            problems.append(_problem(folder, file, _unclaimed(file, here)))
    return problems


def _is_for_folder(file: Path) -> bool:
    return file.stem.casefold() == FOR_A_FOLDER and bool(_KEYED.search(_text(file)))


def _unclaimed(file: Path, here: list[Path]) -> str:
    if _is_for_folder(file):
        names = ", ".join(f"{model.stem}{file.suffix}" for model in here[:3])
        return f"this folder holds {len(here)} models; name it after the one it describes ({names}, ...)"
    name = file.stem if model_suffix(file.stem) not in MODEL_SUFFIXES else Path(file.stem).stem
    return f"is the sidecar of no model here{did_you_mean(name, (model.stem for model in here))}"


def _problem(folder: str, file: Path, message: str) -> Problem:
    return Problem(str(Path(folder, file.name)), 0, 0, "", message)
