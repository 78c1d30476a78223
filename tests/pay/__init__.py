"""Payment providers to test against: localstripe from PyPI, and one that speaks Stripe's documented shapes."""
