"""The keys of the vault: which there are, how each is replaced, and what is open of them."""
