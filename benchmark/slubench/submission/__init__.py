"""Submissions: packs runs into a bundle, verifies it against the corpus, and publishes the results."""
