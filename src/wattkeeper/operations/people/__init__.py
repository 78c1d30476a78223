"""People: accounts, the ways they prove who they are, and what they let in."""
