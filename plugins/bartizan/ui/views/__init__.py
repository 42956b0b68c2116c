"""The addresses of the dashboard: `pages` for people and `api` for programs, a file per view."""
