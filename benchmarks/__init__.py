"""What images cost here: rates, stages, floor, start-up, memory; see docs/bench.md."""
