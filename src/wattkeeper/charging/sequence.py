"""Sequence numbers that were seen, as inclusive runs (OCPP 2.x seqNo)."""

from __future__ import annotations


def with_seq(runs: tuple[tuple[int, int], ...], seq: int) -> tuple[tuple[int, int], ...]:
    """The runs of sequence numbers with one more."""
    if runs and seq == runs[-1][1] + 1:
        return (*runs[:-1], (runs[-1][0], seq))
    if any(low <= seq <= high for low, high in runs):
        return runs
    merged: list[tuple[int, int]] = []
    for low, high in sorted((*runs, (seq, seq))):
        if merged and low == merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged[:2000])
