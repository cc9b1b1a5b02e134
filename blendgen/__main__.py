"""`python -m blendgen` is the `blendgen` command."""

from blendgen.cli import main

if __name__ == "__main__":
    main()
