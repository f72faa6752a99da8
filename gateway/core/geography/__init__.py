"""Where a request comes from and where its result goes, from every piece of evidence at hand."""
