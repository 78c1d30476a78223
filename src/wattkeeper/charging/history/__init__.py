"""History: sessions of long ago, as another system's records have them, and what is odd about those."""
