"""The pages of buying stages: the base, one category between two days, one customer, and the rules."""
