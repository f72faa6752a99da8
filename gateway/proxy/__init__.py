"""The data listener: bytes to a canonical request, and the exchange with the provider."""
