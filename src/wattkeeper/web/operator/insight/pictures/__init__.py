"""Pictures under Insight: drawn on the server, told as tables, taken along as files."""
