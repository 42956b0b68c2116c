"""From metric files to incidents: learn, score, find groups."""
