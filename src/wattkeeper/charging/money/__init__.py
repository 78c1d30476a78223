"""What charging costs: tariffs, usage, bills, books."""
