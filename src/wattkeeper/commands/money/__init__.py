"""Commands about money: bills, books, payments, revenue."""
