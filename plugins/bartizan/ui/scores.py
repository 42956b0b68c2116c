"""The views of stored scores, which share one selection (`selection.py`)."""

from bartizan.ui.views import contributions, explorer, series

VIEWS = (explorer, series, contributions)
