"""Kinds: what a spec may ask for by name, one record a kind.

A record holds the kind's line of documentation and every fact about it that the spec, the sampling, the
engines and the docs share. Only the engine knows how a kind is built; it finds the builder by the same name.
"""
