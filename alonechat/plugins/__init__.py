"""What authors of plugins write against, and what finds, orders, starts and stops plugins."""
