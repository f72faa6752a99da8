"""The command line: parse, call, print; exit codes 0 ok, 1 findings or a refusal, 2 usage."""
