"""The lake: Apache Iceberg tables in a local folder, with their catalog beside them.

Readers see committed snapshots only. Data files are written first (`data_path`), checked, and then
added by one atomic commit (`publish`).
"""

from bartizan.lake.catalog import Lake
from bartizan.lake.publish import add_files, replace_window
from bartizan.lake.read import planned_files

__all__ = ["Lake", "add_files", "planned_files", "replace_window"]
