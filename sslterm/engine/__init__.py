"""The learner: training, checkpoints, evaluation."""
