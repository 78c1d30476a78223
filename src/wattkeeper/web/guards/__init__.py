"""What guards the people's door before anything else of a request is looked at."""
