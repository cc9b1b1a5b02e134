"""Data sets in object stores: made in a folder of this machine, sent to a URL, and read from there."""
