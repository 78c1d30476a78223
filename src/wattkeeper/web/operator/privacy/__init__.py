"""The pages of who answers for people's data: what they asked, and breaches."""
