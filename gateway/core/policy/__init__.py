"""The judge: policy files as values, compiled to a table, evaluated over facts."""
