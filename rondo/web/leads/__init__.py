"""Pages of leads and interests: who buys for the first time, of anything and by category."""
