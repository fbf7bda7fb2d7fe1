"""The pages of the analysis itself: what the models are, how they did, and which one is used."""
