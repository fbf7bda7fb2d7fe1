"""Making one record of two, by hand and from the work list: which values show, and the way back."""
