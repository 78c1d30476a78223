"""Money in and out: what a provider is asked and tells, and what becomes of it in the books."""
