"""Commands about privacy: who is kept how, who looked, who is forgotten, what is let out."""
