"""Attach: sources of model files -> the same with what their sidecars change of measuring them.

In: sources as a scan gives them. Out: the sources, and the sidecar of each that has one. What the
spec says of unit and up is in the sources already, and wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from blendgen.errors import Problem, SpecError
from blendgen.models.product import Product
from blendgen.models.sidecar.apply import with_sidecar
from blendgen.models.sidecar.find import sidecar_files
from blendgen.models.sidecar.read import SidecarFile, read_sidecar
from blendgen.models.source import AS_SHOWN, Source


@dataclass
class Sidecars:
    """The sidecars of all models that were asked for so far, by the path of the model file.

    problems: what is wrong with them; files: those that are right
    """

    files: dict[str, SidecarFile] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)

    def attached(self, sources: Iterable[Source], beside: Iterable[Source]) -> list[Source]:
        """The sources as they are to be measured; a source whose sidecar is wrong stays as it is.

        beside: all sources of their folders, the ones that are not used, too
        """
        found, doubts = sidecar_files(*_places(beside))
        self.problems += [problem for problem in doubts if problem not in self.problems]
        return [self._attached(source, found.get(_path(source))) for source in sources]

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
    """Those whose sidecar a file is; sources: all of its folder.

    raises: SpecError where it could be that of some, but there is a doubt
    """
    sources = list(sources)
    chosen, doubts = sidecar_files(*_places(sources))
    found = [source for source in sources if chosen.get(_path(source)) == file]
    doubts = [doubt for doubt in doubts if Path(doubt.file).name == file.name or file.name in doubt.message]
    if not found and doubts:
        raise SpecError(doubts)
    return found


def _path(source: Source) -> Path:
    return Path(source.options["path"])


def _places(sources: Iterable[Source]) -> tuple[list[Path], dict[Path, str]]:
    models = {_path(source): str(Path(source.display).parent) for source in sources}
    return list(models), {path.parent: shown for path, shown in models.items()}


def _options(options: Mapping, file: SidecarFile) -> dict:
    """What a model is measured with; only what measuring needs, as it decides the cache's key."""
    sidecar = file.sidecar
    changed = {**options, "unit": options["unit"] or sidecar.unit, "up": options["up"] or sidecar.up}
    if sidecar.coordinates == AS_SHOWN:
        changed["coordinates"] = AS_SHOWN
    if sidecar.keypoints:
        changed["points"] = [list(place.at) for place in sidecar.keypoints.values()]
    return changed


def described(
    products: Iterable[Product], sources: Iterable[Source], sidecars: Sidecars
) -> tuple[list[Product], list[Problem]]:
    """The products with what their sidecars say, and what of it does not fit them.

    sources: those that the products were measured from, by name, and perhaps more
    """
    by_name = {source.name: source for source in sources}
    found, problems = [], []
    for product in products:
        file = sidecars.of(by_name[product.name])
        if file is not None:
            product, faults = with_sidecar(product, file)
            problems += [fault for fault in faults if fault not in problems]
        found.append(product)
    return found, problems
