"""What Wattkeeper costs: speed against a bare responder, CPU time, memory, and whether every session is right."""
