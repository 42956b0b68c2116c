"""The nouns of the house: plain frozen data classes, no behaviour that needs a room."""
