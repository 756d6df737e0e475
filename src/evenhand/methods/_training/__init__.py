"""What every trained method shares: the problem, the state, the loop, the folds."""
