"""The faces: each draws the state of the client core and sends actions, nothing else."""
