"""What each view shows, as plain values, the same for its page and its API."""
