"""Bartizan: anomaly detection for AWS WAF logs, run on your own Apache Airflow."""

__version__ = "0.1.0"
