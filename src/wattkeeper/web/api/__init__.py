"""JSON over HTTP, versioned, with OpenAPI: one file for each noun."""
