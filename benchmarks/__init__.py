"""The benchmark: images per second, stages, floor, start-up and memory on this machine; see docs/bench.md."""
