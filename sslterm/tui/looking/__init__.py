"""Looking at runs, checkpoints and this machine, in threads: what is seen becomes a message, where it has changed."""
