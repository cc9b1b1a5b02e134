"""Experiments: what a classifier and photos say about a spec, found with cheap renders that are thrown away.

Renders drafts (small images of few samples) with the workers, and measures them with `learn`.
"""
