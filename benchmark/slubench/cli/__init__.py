"""The command line: parses options, looks up names, prints results."""
