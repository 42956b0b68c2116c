-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    token_label
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    token_label
having count(*) > 1;

-- fail: token_is_shared
select
    bucket,
    webacl,
    token_label
from result
where unique_ips < 3;

-- fail: distinct_is_at_most_total
select
    bucket,
    webacl,
    token_label
from result
where
    unique_ips > requests
    or unique_countries > unique_ips;

-- fail: label_is_a_token
select
    bucket,
    webacl,
    token_label
from result
where token_label not like 'awswaf:managed:token:id:%';
