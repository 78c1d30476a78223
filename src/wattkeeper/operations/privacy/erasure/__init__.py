"""Being forgotten: the plan, the deed, who is told, the certificate, and what a backup may not bring back."""
