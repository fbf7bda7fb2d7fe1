"""What next for whom: what customers buy next and when, and what is bought together, after each analysis."""
