"""What every pattern shares. Nothing in here imports a pattern."""
