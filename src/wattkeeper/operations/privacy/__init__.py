"""What privacy promises: consent, looks at persons, legal holds, and the register of what is kept."""
