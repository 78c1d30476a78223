"""What stands on the wire, read with care: texts, numbers, times and whole payloads, each made safe to keep."""
