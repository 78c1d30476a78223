"""What may leave as an aggregate: cells, what one driver may count for in them, what of it is shown, and the budget."""
