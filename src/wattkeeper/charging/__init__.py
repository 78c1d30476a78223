"""What charging means. Pure: no await, no clock, no randomness, no SQL, no JSON."""
