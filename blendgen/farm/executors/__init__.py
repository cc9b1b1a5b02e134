"""Executors: the engines that can make the shards of a data set, one module each."""

EXECUTORS = ("ray", "slurm")
