"""One file per channel: `shape(incident, context, change)` gives what the channel takes.

Shapes are pure: no clock, no network, the same incident gives the same payload.
"""
