-- The tables are those in Glue, which Athena's statements or another writer create.
create external schema if not exists waf
from data catalog database 'waf'
iam_role 'arn:aws:iam::111122223333:role/lake-reader';

create external schema if not exists agg
from data catalog database 'agg'
iam_role 'arn:aws:iam::111122223333:role/lake-reader';

-- For each role that reads them:
-- grant usage on schema waf, agg to role reader;
-- grant select on public.waf_logs to role reader;
