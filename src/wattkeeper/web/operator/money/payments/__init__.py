"""Who owes and who pays, as pages."""
