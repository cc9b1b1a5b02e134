"""`python -m blendgen` is the `blendgen` command."""

import sys

if sys.version_info[:2] not in ((3, 11), (3, 13)):
    sys.exit(
        "blendgen needs Python 3.11 (Blender 4.5) or 3.13 (Blender 5.2), this is " + sys.version.split()[0]
    )

if __name__ == "__main__":  # and not in worker processes, which import this file too
    from blendgen.cli import main

    main()
