"""Spec file -> SpecFile: read, override, fill presets in, check, and report all faults at once.

In: the path of a YAML file and the command line's overrides, which enter here and nowhere later.
Out: a frozen Spec with the places of its fields, or a SpecError with every problem's place.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from blendgen.errors import Problem, SpecError, UsageError
from blendgen.spec import presets
from blendgen.spec.model import Spec
from blendgen.spec.yaml_source import Document, parse
from blendgen.spec.yaml_source import Path as FieldPath
from blendgen.suggestion import nearest

_PRESETS = {"sensor": ("sensors", "machine_vision"), "render": ("render", "draft")}


@dataclass(frozen=True)
class Override:
    """One `--set key=value`."""

    text: str
    path: FieldPath
    value: Any


@dataclass(frozen=True)
class SpecFile:
    """A checked spec, and where it came from.

    folder: what relative directories in it are relative to
    """

    spec: Spec
    folder: Path
    document: Document
    overrides: tuple[Override, ...]

    def problem(self, path: FieldPath, message: str) -> Problem:
        """A Problem at the place of a field, for checks that need more than the spec."""
        return _problem(self.document, self.overrides, path, message)


def load_spec(path: Path, overrides: list[Override] = (), shown_as: str | None = None) -> SpecFile:
    """Read and check a spec file.

    raises: SpecError with all problems of the file; UsageError where there is no such file
    """
    try:
        text = Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        raise SpecError([Problem(str(path), 0, 0, "", "not a UTF-8 text file")]) from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    document = parse(text, shown_as or str(path))
    return check_spec(document, Path(path).resolve().parent, tuple(overrides))


def check_spec(document: Document, folder: Path, overrides: tuple[Override, ...] = ()) -> SpecFile:
    """Check plain values against the schema; raises SpecError."""
    if not isinstance(document.value, dict):
        raise SpecError([document.problem((), "a spec is a mapping of keys; see `blendgen schema`")])
    value = copy.deepcopy(document.value)
    problems = [problem for o in overrides if (problem := _apply(value, o))]
    for key, (kind, default) in _PRESETS.items():
        try:
            value[key] = presets.expand(kind, value.get(key, default))
        except ValueError as error:
            problems.append(_problem(document, overrides, (key,), str(error)))
            value[key] = presets.preset_values(kind, default)
    try:
        spec = Spec.model_validate(value)
    except ValidationError as error:
        problems += [_translate(e, document, overrides) for e in error.errors(include_url=False)]
    if problems:
        raise SpecError(problems)
    return SpecFile(_with_render_resolution(spec), folder, document, overrides)


def parse_override(text: str) -> Override:
    """`camera.distance_m={uniform: [1, 2]}` to an Override; raises UsageError."""
    key, equals, value_text = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {text}: write key=value, such as --set camera.distance_m=0.5")
    path: list[str | int] = []
    for part in key.strip().replace("[", ".").replace("]", "").split("."):
        path.append(int(part) if part.isdigit() else part)
    value = parse(value_text, f"--set {text}").value if value_text.strip() else None
    return Override(text, tuple(path), value)


def resolved_yaml(spec: Spec) -> str:
    """The spec with every default and preset written out, as YAML that loads again."""
    return yaml.safe_dump(
        resolved_values(spec), sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )


def resolved_values(spec: Spec) -> dict[str, Any]:
    """The spec with every default and preset written out, as plain values."""
    return _plain(spec.model_dump(exclude_none=True))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _apply(value: Any, override: Override) -> Problem | None:
    *parents, last = override.path
    if parents and parents[0] in _PRESETS:
        _start_from_preset(value, parents[0])
    for part in parents:
        try:
            value = value.setdefault(part, {}) if isinstance(value, dict) else value[part]
        except (IndexError, TypeError):
            return Problem(f"--set {override.text}", 0, 0, "", f"there is no {part!r} to set a key of")
    try:
        value[last] = override.value
    except (IndexError, TypeError):
        return Problem(f"--set {override.text}", 0, 0, "", f"there is no place for {last!r}")
    return None


def _start_from_preset(value: dict, key: str) -> None:
    """`--set render.max_bounces=2` changes one field of whatever preset is named, or of the default."""
    given = value.get(key, _PRESETS[key][1])
    if isinstance(given, str):
        value[key] = {"preset": given}


def _problem(document: Document, overrides, path: FieldPath, message: str) -> Problem:
    for override in reversed(overrides):
        shared = min(len(path), len(override.path))
        if shared and path[:shared] == override.path[:shared] and len(path) >= len(override.path):
            return Problem(f"--set {override.text}", 0, 0, "", message)
    return document.problem(path, message)


def _with_render_resolution(spec: Spec) -> Spec:
    """A render preset may fix the resolution; the Spec then says so in the one usual place."""
    if spec.render.resolution is None:
        return spec
    render = spec.render.model_copy(update={"resolution": None})
    resolution = Spec._sane_resolution(spec.render.resolution)
    return spec.model_copy(update={"render": render, "resolution": resolution})


def _translate(error: dict, document: Document, overrides) -> Problem:
    path = tuple(error["loc"])
    kind, message = error["type"], error["msg"]
    if kind == "extra_forbidden":
        known = _model_at(path[:-1]).model_fields
        message = f"unknown key{nearest(path[-1], known)}"
    elif kind == "missing":
        message = "is missing: " + (_model_at(path[:-1]).model_fields[path[-1]].description or "required")
        path = path[:-1] or path
        return _problem(document, overrides, path, f"{error['loc'][-1]} {message}")
    elif kind == "value_error":
        message = str(error["ctx"]["error"])
    else:
        message = f"{message[0].lower()}{message[1:]}, got {_short(error['input'])}"
    return _problem(document, overrides, path, message)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _model_at(path: FieldPath) -> type[BaseModel]:
    """The model that a path of a spec leads to."""
    model: type[BaseModel] = Spec
    for part in path:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        candidates = [annotation, *get_args(annotation)]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), model)
    return model
