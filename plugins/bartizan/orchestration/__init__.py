"""The only part that knows Airflow: assets, windows of runs, DAG factories, the local Airflow."""
