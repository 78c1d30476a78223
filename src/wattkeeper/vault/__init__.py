"""What we keep secret and can prove: the only room that holds keys; it imports nothing of ours."""
