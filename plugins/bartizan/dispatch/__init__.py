"""Tells people and systems about incidents.

alerts.yaml (`alerts`) names channels and rules; `rules` decides who hears of a change; `delivery`
sends, and the outbox of the store is the truth about it. `shapes` make what is sent, `channels`
send it. The report is imported by its own name (`bartizan.dispatch.report`): it loads matplotlib.
"""
