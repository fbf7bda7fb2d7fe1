"""Imports by program: a file brought in, read as one says, tried, imported; runs, their refused rows and their undo."""
