"""Wire dialects: how a body of one kind is read, each in a small pure module.

They do not know one another; `gateway.core.catalog.dialects.table` is the one list of them.
"""
