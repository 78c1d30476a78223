"""History from other systems: taken over through the command line, and counted by other means."""
