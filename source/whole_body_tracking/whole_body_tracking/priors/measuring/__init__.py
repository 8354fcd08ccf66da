"""How good predictions are, beside two baselines."""
