"""Cards and what was found about them, as pages."""
