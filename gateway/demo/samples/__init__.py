"""The sample traffic: what each request is, who sends it, and what must become of it."""
