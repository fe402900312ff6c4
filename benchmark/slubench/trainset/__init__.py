"""trainset."""
