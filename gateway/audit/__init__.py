"""The proof: decisions as durable, ordered, checkable lines."""
