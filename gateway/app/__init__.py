"""The composition root: the only place that knows every other module.

Clock, identifiers, the log's file port, the child process and the listeners are made here once and
passed in.
"""
