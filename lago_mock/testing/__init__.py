"""What tests use: a handle on a server of their own, or on one that runs elsewhere."""
