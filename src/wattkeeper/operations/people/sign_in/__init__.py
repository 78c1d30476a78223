"""How people prove who they are: passkeys, passwords, codes, and what keeps guessers slow."""
