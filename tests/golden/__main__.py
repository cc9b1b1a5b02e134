"""`make golden`: write the golden files again, as this checkout makes them; then review the diff.

`python -m tests.golden GROUP ...` writes some: shots, pictures, renders. Run it with both Pythons: a few
pictures depend on the version of Blender.
"""

from __future__ import annotations

import sys

from tests.golden import pictures, renders, shots

GROUPS = {"shots": shots.write_golden, "pictures": pictures.write_golden, "renders": renders.write_golden}


def main(names: list[str]) -> None:
    unknown = set(names) - set(GROUPS)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    for name in names or GROUPS:
        GROUPS[name]()
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
