# SPDX-License-Identifier: BSD-3-Clause
"""`python -m gelu_fast selftest`: judge the installed build on this machine, on every ISA level that its CPU has.

command.py starts a process for each level, level.py is that process, report.py prints its messages; checks_*.py are the
checks. They call the package through package.py alone, where --control puts faults into the results, and judge the
results with judge.py against references.py. All of it needs NumPy alone; `import gelu_fast` imports none of it."""
