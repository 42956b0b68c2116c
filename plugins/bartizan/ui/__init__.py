"""The dashboard: pages and a JSON API over what the house knows, without Airflow.

`create_app` is given who asks and who may write; `orchestration/ui_access.py` takes both from
Airflow. A view is one file in `data` (what it shows), one in `views` (its addresses) and one in
`templates`.
"""

from bartizan.ui.app import create_app
from bartizan.ui.site import Visitor

__all__ = ["Visitor", "create_app"]
