"""The pages about security: what was tried, and what the audit found."""
