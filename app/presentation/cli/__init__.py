"""The command line: one command for each program, and the tools an operator needs at hand."""
