"""Commands about proof: the log, keys, backups, security."""
