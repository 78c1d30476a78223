"""History is taken over: files of sessions from other systems, read by a mapping that a person wrote."""
