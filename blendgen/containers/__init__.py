"""Containers: few large files with many images each, in the formats of WebDataset and Parquet."""
