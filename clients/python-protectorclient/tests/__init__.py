"""Tests of the client: pure tables, and everything else against a real `protector-lab up`. Absent: pretended APIs."""
