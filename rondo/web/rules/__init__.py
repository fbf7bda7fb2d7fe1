"""The visual builder of rules: what it offers, and the way from its tree to the text form and back."""
