"""The settings: `gateway.yaml` and `FACEGATE_…` variables as one frozen value.

`gateway.sources.settings` reads the file, lays the variables over it, and reports every mistake at
once. Nothing else reads the environment.
"""
