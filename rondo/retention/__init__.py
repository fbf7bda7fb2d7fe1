"""How long data are kept: rules per kind, which a job carries out every night. Without a rule nothing goes."""
