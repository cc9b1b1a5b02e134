"""Places: what a smoke run reads and writes, checked before it starts.

In: the paths of the user. Out: Places that neither mix golden files with results nor contain one another.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from blendgen.errors import UsageError
from blendgen.files.result_file import refuse_others_file
from blendgen.golden.files import refuse_others_folder
from blendgen.golden.pictures import refuse_others_output
from blendgen.spec.load import SpecFile


@dataclass(frozen=True)
class Places:
    """golden: folder of the golden files; output: of pictures; junit: an XML file"""

    golden: Path
    output: Path | None = None
    junit: Path | None = None

    def check(self, is_updated: bool) -> None:
        """Raises UsageError for places that overlap, DatasetError for files of somebody else."""
        if self.output is not None and (_holds(self.golden, self.output) or _holds(self.output, self.golden)):
            raise UsageError(
                f"--output {self.output}: overlaps the folder of the golden files, {self.golden}; choose a "
                "folder outside of it, such as smoke-out"
            )
        if self.junit is not None:
            if self.is_junit_misplaced():
                raise UsageError(f"--junit {self.junit}: lies among the golden files; write it elsewhere")
            refuse_others_file(self.junit)
        if self.output is not None:
            refuse_others_output(self.output, self.junit)
        if is_updated:
            refuse_others_folder(self.golden)

    def is_junit_misplaced(self) -> bool:
        return self.junit is not None and _holds(self.golden, self.junit)


def golden_folder(spec_file: SpecFile) -> Path:
    """Where golden files are by default: smoke/<name of the spec file> next to the spec."""
    stem = Path(spec_file.document.file).stem or spec_file.spec.name
    return spec_file.folder / "smoke" / stem


def _holds(folder: Path, path: Path) -> bool:
    """Whether a path is a folder or in it, also by links."""
    outer, inner = (Path(os.path.realpath(one)) for one in (folder, path))
    return inner.is_relative_to(outer)
