"""The demo: the Complete Journey as a company would load it, with invented names that are marked as such."""
