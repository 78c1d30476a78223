"""A second party that watches a log: it must only ever grow. A small program of its own; it needs a key and a folder.

It imports the tree and the notes of `vault` and nothing else of ours, so that whoever runs it trusts little.
"""
