"""What developers and operators run beside the program itself."""
