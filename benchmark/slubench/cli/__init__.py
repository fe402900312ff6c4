"""The command line: it parses, finds and prints; what it finds out is done elsewhere."""
