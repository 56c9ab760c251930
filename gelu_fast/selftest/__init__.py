# SPDX-License-Identifier: BSD-3-Clause
"""`python -m gelu_fast selftest`: judge the installed build on this machine, on every ISA level that its CPU has.

command.py runs each level in a process of its own, level.py is that process, report.py shows what it tells; checks_*.py
are the checks. These call the package by way of package.py alone, where --control puts a fault into the results, and
judge them by judge.py against references.py. All of it needs NumPy alone; `import gelu_fast` imports nothing of it."""
