"""Landing: raw AWS WAF logs become rows of waf.requests, waf.rule_hits and waf.quarantine.

plan     list objects, register new ones in batches            plan.py, listing.py
stage    decode a batch into Parquet files nobody sees yet     stage.py
           read.py         bytes of the objects
           inflate.py      gzip or zstd, whole or damaged, piece by piece
           parts.py        large objects, cut at record ends
           chunk.py        from texts to records, by these:
             framing.py      where each record starts and ends
             unwrap.py       records inside CloudWatch Logs envelopes
             screen.py       which records are as AWS documents them, which need care
             normalise.py    those that need care, one by one
             identity.py     the number that a record keeps however it is framed; siphash.py
             quarantine.py   pieces that are no log records
           decode.py       records into columns
           redact.py       what is secret; redact_rows.py takes it out of the columns
           drift.py        fields that have no column
           rule_hits.py    one row per rule that matched
           duplicates.py   records that arrived before
           hour_files.py   one Parquet file per hour
publish  one atomic commit per table, the last thing visible   publish.py
           late.py         which hours late records open again
           changed.py      objects that changed after they were landed
run.py   all of it for one source
"""
