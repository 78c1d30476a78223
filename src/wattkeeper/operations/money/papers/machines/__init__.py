"""Invoices for machines (EN 16931): their syntax, and how a PDF carries them."""
