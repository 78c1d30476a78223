"""What drivers used and paid, as pages."""
