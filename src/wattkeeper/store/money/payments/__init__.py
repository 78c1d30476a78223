"""How drivers pay: payments, settlements, monthly invoices, shares of hosts."""
