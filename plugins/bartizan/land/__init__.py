"""Landing: raw AWS WAF logs become rows of the lake.

plan     list new objects, register them in batches            plan.py, listing.py
stage    decode a batch into Parquet files nobody sees yet     stage.py
           read.py       bytes of the objects
           inflate.py    gzip, whole or damaged
           parts.py      large objects, cut at record ends
           framing.py    where each record starts and ends
           screen.py     which records are as AWS documents them, which need care
           normalise.py  those that need care, one by one
           decode.py     columns, by one SQL statement
           rule_hits.py  one row per rule that matched
publish  one atomic commit per table                           publish.py, duplicates.py
land     all of it, with the validation passed in              run.py
"""
