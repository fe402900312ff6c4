"""What corpora are at hand, whether they are as they should be, and how they are made ready."""
