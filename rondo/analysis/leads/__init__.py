"""Scores of leads and of interest: who buys for the first time, of anything and by category, after each analysis."""
