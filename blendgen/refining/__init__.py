"""Refining: images of a finished data set made more like photos, by a network or by a program of the user.

In: a data set, and photos without labels. Out: another data set with the same labels. An image whose labels
would no longer be right is left as it was; label_check.py measures that.
"""
