"""From a budget and a strategy to training examples."""
