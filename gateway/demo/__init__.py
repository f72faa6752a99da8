"""A provider simulator, an issuer and sample traffic, so that the gateway can be seen at work."""
