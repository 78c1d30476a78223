"""Commands about people: accounts, staff, tokens, cards."""
