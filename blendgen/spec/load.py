"""Spec file -> SpecFile: read, apply overrides, expand presets, check, and report all faults at once.

In: the path of a YAML file and the command line's overrides, which are applied here and nowhere else.
Out: a frozen Spec with the line and column of its keys, or a SpecError with all problems.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from blendgen.errors import Problem, SpecError, UsageError
from blendgen.files.disk import raise_if_passing
from blendgen.files.regular_file import read_bounded
from blendgen.spec import presets
from blendgen.spec.faults import NO_VALUE, faults, without_value
from blendgen.spec.hold_out import hold_out_faults
from blendgen.spec.links import linked
from blendgen.spec.model import Spec
from blendgen.spec.renamed_keys import renamed_keys
from blendgen.spec.unreadable import not_read, not_text
from blendgen.spec.yaml_source import Document, parse, plain_scalar
from blendgen.spec.yaml_source import Path as FieldPath

_PRESETS = {"sensor": ("sensors", "machine_vision"), "render": ("render", "draft")}
# either key sets the number of samples: an override of one removes the other
_ALTERNATIVES = {"target_psnr_db": "samples_per_pixel", "samples_per_pixel": "target_psnr_db"}
_INDEX = re.compile(r"[0-9]{1,9}")
_NOWHERE: dict[FieldPath, tuple[int, int]] = {(): (0, 0)}  # places of values that do not come from a file


@dataclass(frozen=True)
class Override:
    """One `--set key=value`; text: the option as the user wrote it."""

    text: str
    path: FieldPath
    value: Any


@dataclass(frozen=True)
class SpecFile:
    """A checked spec and its origin.

    folder: base of the relative paths in the spec
    """

    spec: Spec
    folder: Path
    document: Document
    overrides: tuple[Override, ...]

    def problem(self, path: FieldPath, message: str) -> Problem:
        """A Problem at a key of the spec, for checks that need more than the spec."""
        return _problem(self.document, self.overrides, path, message)


def load_spec(path: Path, overrides: Iterable[Override] = (), shown_as: str | None = None) -> SpecFile:
    """Read and check a spec file.

    shown_as: name of the file in messages; default: its path
    raises: SpecError with all problems of the file; UsageError if it cannot be read
    """
    try:
        data = read_bounded(Path(path))
    except (OSError, ValueError) as error:  # ValueError: not a path, such as one with a null byte
        raise_if_passing(Path(path), error)
        raise not_read(Path(path), str(getattr(error, "strerror", error))) from None
    try:
        text = data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise not_text(Path(path), data) from None
    document = parse(text, shown_as or str(path))
    return check_spec(document, Path(path).resolve().parent, tuple(overrides))


def as_spec_file(
    spec: SpecFile | Mapping[str, Any] | str | PathLike[str], overrides: Iterable[Override] = ()
) -> SpecFile:
    """A checked spec from what a caller has: a file, plain values, or a spec that is to be changed.

    Plain values are those of a YAML file; folders in them are relative to the working directory.
    raises: as load_spec
    """
    if isinstance(spec, SpecFile):
        overrides = tuple(overrides)
        return check_spec(spec.document, spec.folder, spec.overrides + overrides) if overrides else spec
    if isinstance(spec, Mapping):
        return check_spec(Document("spec", _plain(dict(spec)), _NOWHERE), Path.cwd(), tuple(overrides))
    return load_spec(Path(spec), overrides)


def check_spec(document: Document, folder: Path, overrides: tuple[Override, ...] = ()) -> SpecFile:
    """Check plain values against the schema; raises SpecError."""
    if not isinstance(document.value, dict):
        raise SpecError([document.problem((), "a spec must be a mapping of keys; see `blendgen schema`")])
    value = copy.deepcopy(document.value)
    problems = [problem for o in overrides if (problem := _apply(value, o))]
    problems += [_problem(document, overrides, path, NO_VALUE) for path in without_value(value) if path]
    renamed = list(renamed_keys(value))
    problems += [_problem(document, overrides, path, message) for path, _, message in renamed]
    for key, (kind, default) in _PRESETS.items():
        try:
            value[key] = presets.expand(kind, value.get(key, default))
        except ValueError as error:
            problems.append(_problem(document, overrides, (key,), str(error)))
            value[key] = presets.preset_values(kind, default)
    try:
        spec = Spec.model_validate(value)
    except ValidationError as error:
        moved = {new_path for _, new_path, _ in renamed}
        for path, message in faults(error, Spec):
            if path not in moved:  # the file does not have that key
                problems.append(_problem(document, overrides, path, message + _preset_advice(path, message)))
    if not problems:
        spec, broken = linked(spec)
        broken += hold_out_faults(spec)
        problems = [_problem(document, overrides, path, message) for path, message in broken]
    if problems:
        raise SpecError(problems)
    overridden = any(override.path[0] == "resolution" for override in overrides)
    return SpecFile(_with_render_resolution(spec, overridden), folder, document, overrides)


def parse_override(text: str) -> Override:
    """The Override of a text such as `camera.distance_m={uniform: [1, 2]}`; raises UsageError."""
    key, equals, value_text = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set: expected KEY=VALUE such as camera.distance_m=0.5, got {text!r}")
    if value_text.strip().startswith("#"):  # a colour; in YAML it would be a comment
        value_text = f"'{value_text.strip()}'"
    try:
        value = parse(value_text, "").value if value_text.strip() else None
    except SpecError as error:
        raise UsageError(f"--set {text}: {error.problems[0].message}") from None
    return Override(f"--set {text}", _field_path(key), value)


def as_overrides(overrides: Mapping[str, Any] | Iterable[Override]) -> Iterator[Override]:
    """Overrides from plain values by their field, such as camera.distance_m or products[0].unit.

    raises: UsageError for a key that is not a string
    """
    if not isinstance(overrides, Mapping):
        yield from overrides
        return
    for key, value in overrides.items():
        if not isinstance(key, str):
            raise UsageError(
                f"overrides: expected a field such as 'camera.distance_m' as the key, got {key!r}"
            )
        yield Override(f"{key}={value!r}", _field_path(key), value)


def _field_path(key: str) -> FieldPath:
    parts = key.strip().replace("[", ".").replace("]", "").split(".")
    return tuple(int(part) if _INDEX.fullmatch(part) else part for part in parts)


def resolved_yaml(spec: Spec) -> str:
    """The spec with every default and preset written out, as YAML that loads as the same spec."""
    return yaml.dump(
        resolved_values(spec),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )


class _Dumper(yaml.SafeDumper):
    """Quotes every text that our reader (YAML 1.2) would read as another type."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain_text = plain_scalar(text) == text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain_text else "'")


_Dumper.add_representer(str, _quoted)


def resolved_values(spec: Spec) -> dict[str, Any]:
    """The spec with every default and preset written out, as plain values."""
    values: dict[str, Any] = _plain(spec.model_dump(exclude_none=True))
    if values["output"]["container"] == "files":  # as in specs that are older than containers
        del values["output"]["container"]
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _apply(value: Any, override: Override) -> Problem | None:
    *parents, last = override.path
    if parents and parents[0] in _PRESETS:
        _start_from_preset(value, parents[0])
    root, new = value, copy.deepcopy(override.value)  # later overrides change parts of it
    if override.path == ("render",):
        new = _with_engine(value.get("render"), new)
    for part in parents:
        try:
            value = value.setdefault(part, {}) if isinstance(value, dict) else value[part]
        except (IndexError, TypeError):
            return Problem(override.text, 0, 0, "", f"there is no {part!r} here; check the path")
    try:
        value[last] = new
    except (IndexError, TypeError):
        return Problem(override.text, 0, 0, "", f"{last!r} cannot be set here; check the path")
    if parents == ["render"] and last in _ALTERNATIVES:
        root["render"].pop(_ALTERNATIVES[last], None)
    return None


def _with_engine(current: Any, new: Any) -> Any:
    """`--set render=PRESET` replaces everything but the engine."""
    if isinstance(new, str) and isinstance(current, dict) and "engine" in current:
        return {"preset": new, "engine": current["engine"]}
    return new


def _start_from_preset(value: dict[str, Any], key: str) -> None:
    """`--set render.max_bounces=2` changes one field of the named preset, or of the default preset."""
    current = value.get(key, _PRESETS[key][1])
    if isinstance(current, str):
        value[key] = {"preset": current}


def _problem(document: Document, overrides: tuple[Override, ...], path: FieldPath, message: str) -> Problem:
    for override in reversed(overrides):
        shared = min(len(path), len(override.path))
        if shared and path[:shared] == override.path[:shared]:
            return Problem(override.text, 0, 0, "", message)
    return document.problem(path, message)


def _preset_advice(path: FieldPath, message: str) -> str:
    """The way out if a key of a section with presets is missing."""
    if not path or path[0] not in _PRESETS or " is missing: " not in message:
        return ""
    return f"; or start from a preset: {{preset: {_PRESETS[path[0]][1]}, ...}}"


def _with_render_resolution(spec: Spec, overridden: bool) -> Spec:
    """The spec with the resolution of its render preset, if that has one, in `spec.resolution`.

    overridden: the command line sets `resolution`, which takes precedence
    """
    if spec.render.resolution is None:
        return spec
    render = spec.render.model_copy(update={"resolution": None})
    resolution = spec.resolution if overridden else spec.render.resolution
    return spec.model_copy(update={"render": render, "resolution": resolution})
