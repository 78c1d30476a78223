"""`wattkeeper demo`: a whole installation that has a past, with stations that replay real sessions."""
