"""Papers, letters and files about money."""
