"""Training code that methods share: the problem, the state, the loop, the folds."""
