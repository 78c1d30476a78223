"""Backups: data and keys apart, the root key with neither; forgotten people stay forgotten when one comes back."""
