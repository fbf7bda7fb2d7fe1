"""A record that was two customers: what goes to the second, the split, and its undo."""
