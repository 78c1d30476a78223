"""What people are written: letters, notices, and the post that carries them."""
