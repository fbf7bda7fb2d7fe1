"""Parts of a run's figures that pages of their own show: each computed by the run, kept with it, and read alone."""
