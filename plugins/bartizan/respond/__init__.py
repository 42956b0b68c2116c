"""Answers back: candidates, a guard, a plan, and changes of IP sets that can be undone."""
