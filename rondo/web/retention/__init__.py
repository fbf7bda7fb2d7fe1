"""Pages of retention: after how long what goes."""
