"""How learning and scoring grow with the number of series."""
