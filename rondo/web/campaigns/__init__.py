"""The pages of campaigns: all of them with how they were answered, and one with who received it and who answered."""
