"""Stand-ins for Athena and the Redshift Data API that run the SQL they are given.

server.py     HTTP on loopback: the JSON 1.1 protocol that boto3 speaks to both services
warehouse.py  one DuckDB database that plays the data behind a service, and the S3 beside it
athena_*.py   Amazon Athena
redshift*.py  Amazon Redshift by its Data API

A text runs in three steps: parse it in the service's dialect, refuse what the service refuses,
translate the tree to DuckDB's dialect and run that.
"""
