"""The API of rights: one's own, and those of others for who answers for them."""
