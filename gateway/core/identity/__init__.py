"""Who asks: one credential, verified, and every party behind the caller."""
