"""Find: which YAML file next to a model is its sidecar. Opens only files that could be one.

A sidecar is `mug.yaml` or `mug.glb.yaml` next to `mug.glb`, or `model.yaml` in a folder with just one model;
`.yml` works too. An ambiguous file is a Problem with a way out: a sidecar is never ignored silently. A
blendgen spec among the models is not a sidecar, and neither is a `model.yaml` without any of the keys: other
programs have such files, too.
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
_MAX_BYTES = 1_000_000  # sidecars are smaller
_MARKED = re.compile(rf"^[\s{{]*[\"']?{MARK}[\"']?\s*:", re.M)
_KEYED = re.compile(rf"^(?:{{\s*)?[\"']?({'|'.join(map(re.escape, KEYS))})[\"']?\s*:", re.M)
_SPEC = re.compile(r"^[\"']?blendgen[\"']?\s*:", re.M)


def sidecar_files(models: Iterable[Path], shown: dict[Path, str]) -> tuple[dict[Path, Path], list[Problem]]:
    """The sidecar of each model that has one, and a problem for each ambiguous file.

    models: all model files of their folders
    shown: folder -> its name in messages
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
        problems += _ambiguities(claims, claimants, here, shown[folder])
        chosen |= {
            model: candidates[0]
            for model, candidates in claims.items()
            if len(candidates) == 1 and len(claimants[candidates[0]]) == 1
        }
    return chosen, problems


def sidecar_name(model: Path) -> Path:
    """The path of a new sidecar: `mug.yaml`, or `mug.glb.yaml` next to another mug or a spec of that name."""
    alike = [file for file in model.parent.iterdir() if file.stem.casefold() == model.stem.casefold()]
    rivals = sum(model_suffix(file) in MODEL_SUFFIXES for file in alike) > 1
    usual = model.with_suffix(".yaml")
    return Path(f"{model}.yaml") if rivals or (usual.is_file() and is_spec(usual)) else usual


def is_sidecar(file: Path) -> bool:
    """Whether a YAML file is marked as a sidecar, or is named after a model next to it and not a spec."""
    if _MARKED.search(_text(file)):
        return True
    models = (one for one in file.absolute().parent.iterdir() if model_suffix(one) in MODEL_SUFFIXES)
    names = {name.casefold() for model in models for name in (model.name, model.stem)}
    return file.stem.casefold() in names and not is_spec(file)


def _claimants(files: list[Path], here: list[Path]) -> dict[Path, list[Path]]:
    """YAML file -> the models that it may belong to, by its name."""
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
    """The YAML files of a folder that are not specs, by name."""
    files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith(".")]
    return sorted(file for file in files if not file.is_dir() and not is_spec(file))


def _text(file: Path) -> str:
    """Its text as far as it can be read; reading it as a sidecar reports errors."""
    if links_outside(file):
        return ""
    try:
        with open_regular(file) as opened:
            return opened.read(_MAX_BYTES).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


def is_spec(file: Path) -> bool:
    """Whether a YAML file is marked as a blendgen spec."""
    text = _text(file)
    return bool(_SPEC.search(text)) and not _MARKED.search(text)


def _ambiguities(
    claims: dict[Path, list[Path]], claimants: dict[Path, list[Path]], here: list[Path], folder: str
) -> list[Problem]:
    problems = []
    for model, candidates in claims.items():
        if len(candidates) > 1:
            names = ", ".join(file.name for file in candidates)
            message = f"{model.name} has several sidecars: {names}; keep one"
            problems.append(_problem(folder, candidates[1], message))
    for file, of in claimants.items():
        if len(of) > 1:
            ways = " or ".join(f"{model.name}{file.suffix}" for model in of)
            message = f"may belong to {' or '.join(model.name for model in of)}; rename it to {ways}"
            problems.append(_problem(folder, file, message))
        elif not of and (_MARKED.search(_text(file)) or _is_for_folder(file)):
            problems.append(_problem(folder, file, _unclaimed(file, here)))
    return problems


def _is_for_folder(file: Path) -> bool:
    return file.stem.casefold() == FOR_A_FOLDER and bool(_KEYED.search(_text(file)))


def _unclaimed(file: Path, here: list[Path]) -> str:
    if _is_for_folder(file):
        names = ", ".join(f"{model.stem}{file.suffix}" for model in here[:3])
        return f"this folder has {len(here)} models; name the file after the one it describes ({names}, ...)"
    name = file.stem if model_suffix(file.stem) not in MODEL_SUFFIXES else Path(file.stem).stem
    return f"does not belong to any model here{did_you_mean(name, (model.stem for model in here))}"


def _problem(folder: str, file: Path, message: str) -> Problem:
    return Problem(str(Path(folder, file.name)), 0, 0, "", message)
