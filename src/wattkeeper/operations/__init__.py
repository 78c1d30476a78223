"""What we do: load, decide, save, announce; one transaction each."""
