"""One file per control: what holds a change back from a channel, and says why in words."""
