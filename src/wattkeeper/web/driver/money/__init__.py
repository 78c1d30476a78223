"""What charging costs a driver: before, while and after, and how it is paid."""
