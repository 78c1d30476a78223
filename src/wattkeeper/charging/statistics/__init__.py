"""What sessions come to when they are put together: shares by quarter hour, and what is read out of the totals."""
