"""A network that predicts a gait from its parameters and phase: data set, training, prediction."""
