"""What charging costs, and whose price holds where and when."""
