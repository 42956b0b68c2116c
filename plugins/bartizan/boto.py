"""How long AWS is waited for, and how often it is asked again: one place for all clients.

A service that is out of reach is known after seconds, one that throttles is asked for longer.
"""

from botocore.config import Config

# Waits 0.5, 1, 2 and 4 seconds on average: out of reach is known within half a minute.
PATIENT = Config(
    connect_timeout=4, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5}
)
# For what comes first, such as whose the credentials are: within ten seconds.
QUICK = Config(
    connect_timeout=4, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2}
)
# For what must not be sent twice, or is asked again by who asks.
ONCE = Config(connect_timeout=4, read_timeout=20, retries={"total_max_attempts": 1})
