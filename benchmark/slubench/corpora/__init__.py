"""Reads a corpus's rows and recordings from a local mirror, the Hub's cache, or the Hub."""
