"""What people agreed to, may ask and may look at, and how they are forgotten. Pure."""
