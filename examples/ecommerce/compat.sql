-- Lets PostgreSQL run the queries that were written for Redshift, word for word:
--
--     set search_path = redshift, shop;
--
-- Redshift takes `hour` in dateadd(hour, -1, …) and `sysdate` without parentheses as words of its
-- language. To PostgreSQL they are columns, so the view of the facts has columns of these names.
--
-- The clock is that of the server. To replay another time: set shop.clock = '2026-11-01 05:20:00';
create schema redshift;

create function redshift.getdate() returns timestamp
language sql stable
as $$
    select coalesce(
        cast(nullif(current_setting('shop.clock', true), '') as timestamp),
        date_trunc('second', statement_timestamp() at time zone 'UTC')
    )
$$;

create function redshift.dateadd(part text, amount integer, ts timestamp)
returns timestamp
language sql immutable
as $$
    select ts + amount * cast('1 ' || part as interval)
$$;

create view redshift.ecommerce as
select
    facts.*,
    'hour' as hour,
    redshift.getdate() as sysdate
from shop.ecommerce as facts;
