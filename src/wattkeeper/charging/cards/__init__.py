"""Who may charge by which card."""
