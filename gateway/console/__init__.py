"""The admin listener: health, metrics, and the few actions that an operator may take."""
