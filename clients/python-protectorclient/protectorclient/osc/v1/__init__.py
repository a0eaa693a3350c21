"""The commands, a file per object, a class per verb. The entry points in pyproject.toml name them.

Absent: the words of the command line; each class is reached by several.
"""
