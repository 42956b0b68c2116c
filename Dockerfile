FROM apache/airflow:3.3.2-python3.12
USER root
RUN install -d -o airflow -g 0 /opt/bartizan /var/lib/bartizan
USER airflow
WORKDIR /opt/bartizan
COPY --chown=airflow:0 requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY --chown=airflow:0 . .
# Airflow puts plugins/ on sys.path, so the library is not installed as well: one copy, no doubt.
