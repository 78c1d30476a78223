"""The log: what is followed, how it grows and is signed, and what can be proved with it."""
