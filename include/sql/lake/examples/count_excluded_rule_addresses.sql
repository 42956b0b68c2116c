-- Count all matched IP addresses in the last 10 days that have matched excluded rules
with test_dataset as (
    select *
    from waf_logs
    cross join unnest(rulegrouplist) as t (allrulegroups)
)

select
    count(*) as count,
    httprequest.clientip,
    allrulegroups.excludedrules,
    allrulegroups.rulegroupid
from test_dataset
where
    allrulegroups.excludedrules is not null
    and from_unixtime("timestamp" / 1000) > now() - interval '10' day
group by httprequest.clientip, allrulegroups.rulegroupid, allrulegroups.excludedrules
order by count desc
