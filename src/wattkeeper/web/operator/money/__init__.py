"""Money as pages: what was billed and why, what waits for a person, what came of it all."""
