"""What Wattkeeper is made of, and which holes of it are known."""
