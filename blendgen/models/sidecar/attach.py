"""Attach: sources of model files -> sources with the options that their sidecars set.

In: sources from a scan. Out: the sources, and the sidecar of each that has one. The spec's unit and up are in
the sources already, and take precedence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from blendgen.errors import Problem, SpecError
from blendgen.models.product import Product
from blendgen.models.sidecar.apply import with_sidecar
from blendgen.models.sidecar.find import FOR_A_FOLDER, sidecar_files
from blendgen.models.sidecar.read import SidecarFile, read_sidecar
from blendgen.models.source import AS_SHOWN, Source


@dataclass
class Sidecars:
    """The sidecars of the models so far, by the path of the model file.

    files: the valid sidecars; bad: models with an invalid one; problems: the faults of those
    """

    files: dict[str, SidecarFile] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)

    def attached(
        self, sources: Iterable[Source], all_sources: Iterable[Source], only_theirs: bool = False
    ) -> list[Source]:
        """The sources with the options of their sidecars; those with an invalid sidecar are not changed.

        all_sources: all sources of their folders, also unused ones
        only_theirs: leave out problems of files that cannot be meant for one of the sources
        """
        files, problems = sidecar_files(*_places(all_sources))
        if only_theirs:
            problems = [one for one in problems if _may_concern(one, map(_path, sources))]
        self.problems += [problem for problem in problems if problem not in self.problems]
        return [self._attached(source, files.get(_path(source))) for source in sources]

    def of(self, source: Source) -> SidecarFile | None:
        return self.files.get(source.options.get("path", ""))

    def _attached(self, source: Source, file: Path | None) -> Source:
        if file is None:
            return source
        path = source.options["path"]
        if path not in self.files and path not in self.bad:
            self._read(source, file)
        sidecar = self.files.get(path)
        return source if sidecar is None else replace(source, options=_options(source.options, sidecar))

    def _read(self, source: Source, file: Path) -> None:
        shown_as = str(Path(source.display).parent / file.name)
        try:
            self.files[source.options["path"]] = read_sidecar(file, shown_as, _path(source))
        except SpecError as error:
            self.bad.add(source.options["path"])
            self.problems += error.problems


def models_of(file: Path, sources: Iterable[Source]) -> list[Source]:
    """The sources that a sidecar describes; sources: all of its folder.

    raises: SpecError if the file is ambiguous
    """
    sources = list(sources)
    files, problems = sidecar_files(*_places(sources))
    described_sources = [source for source in sources if files.get(_path(source)) == file]
    problems = [one for one in problems if Path(one.file).name == file.name or file.name in one.message]
    if not described_sources and problems:
        raise SpecError(problems)
    return described_sources


def _may_concern(problem: Problem, models: Iterable[Path]) -> bool:
    names = "|".join(re.escape(model.name) for model in models)
    for_any = Path(problem.file).stem.casefold() == FOR_A_FOLDER
    return for_any or bool(re.search(rf"(?<!\w)({names})(?!\w)", problem.message))


def _path(source: Source) -> Path:
    return Path(source.options["path"])


def _places(sources: Iterable[Source]) -> tuple[list[Path], dict[Path, str]]:
    models = {_path(source): str(Path(source.display).parent) for source in sources}
    return list(models), {path.parent: shown for path, shown in models.items()}


def _options(options: Mapping, file: SidecarFile) -> dict:
    """The options that a model is measured with; only those, because they are part of the cache's key."""
    sidecar = file.sidecar
    changed = {**options, "unit": options["unit"] or sidecar.unit, "up": options["up"] or sidecar.up}
    if sidecar.textures:
        changed["textures"] = sidecar.textures
    if sidecar.coordinates == AS_SHOWN:
        changed["coordinates"] = AS_SHOWN
    if sidecar.keypoints:
        changed["points"] = [list(place.at) for place in sidecar.keypoints.values()]
    for key in ("hide", "show"):
        if patterns := getattr(sidecar, key):
            changed[key] = patterns
    return changed


def described(
    products: Iterable[Product], sources: Iterable[Source], sidecars: Sidecars
) -> tuple[list[Product], list[Problem]]:
    """The products as their sidecars describe them, and all faults of the sidecars.

    sources: those of the products, by name, and perhaps more
    """
    by_name = {source.name: source for source in sources}
    result, problems = [], []
    for product in products:
        file = sidecars.of(by_name[product.name])
        if file is not None:
            product, faults = with_sidecar(product, file)
            problems += [fault for fault in faults if fault not in problems]
        result.append(product)
    return result, problems
