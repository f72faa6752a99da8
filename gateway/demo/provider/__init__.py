"""A provider simulator: two services' wire dialects over a tiny deterministic face model."""
