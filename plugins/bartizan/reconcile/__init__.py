"""Reconciliation: does the lake hold as many requests as AWS WAF counted?

options     what an installation sets                      options.py
landed      requests by web ACL, hour and action           landed.py
counters    the same from CloudWatch, read only            cloudwatch.py, accounts.py
compare     one verdict per web ACL and hour               compare.py
reconcile   all of it, account by account                  run.py
"""

from bartizan.reconcile.options import Options
from bartizan.reconcile.run import Reconciliation, reconcile

__all__ = ["Options", "Reconciliation", "reconcile"]
