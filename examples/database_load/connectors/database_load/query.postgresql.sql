-- sqlfluff:dialect:postgres
-- An interval in which somebody looked and nobody was at work is a row of 0, not a gap.
with looks as (
    select
        date_bin(interval '5 minutes', ts, timestamp '2000-01-01 00:00:00') as bucket,
        count(*) as looks
    from bartizan.activity_tick
    where
        ts >= {{ start }}
        and ts < {{ end }}
    group by 1
),

busy as (
    select
        date_bin(interval '5 minutes', ts, timestamp '2000-01-01 00:00:00') as bucket,
        database,
        wait,
        digest,
        sum(sessions) as sessions
    from bartizan.activity_sample
    where
        ts >= {{ start }}
        and ts < {{ end }}
    group by 1, 2, 3, 4
)

select
    looks.bucket as timestamp,
    coalesce(busy.database, '') as database,
    coalesce(busy.wait, 'Idle') as wait,
    coalesce(busy.digest || ' ' || left(known.statement, 80), '') as sql,
    cast(cast(coalesce(busy.sessions, 0) as decimal(12, 4)) / looks.looks as decimal(12, 4)) as aas
from looks
left join busy on looks.bucket = busy.bucket
left join bartizan.activity_statement as known on busy.digest = known.digest
