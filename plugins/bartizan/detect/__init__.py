"""From metric files to incidents: learn, score, find groups.

    from bartizan.detect import incidents, learn, score

is for DataFrames, without files, store or Airflow: `api.py`, docs/detection.md#api.
"""

from bartizan.detect.api import Detector, incidents, learn, score

__all__ = ["Detector", "incidents", "learn", "score"]
