select e.ts as timestamp, p.name as platform, m.name as marketplace, e.views, e.revenue
from ecommerce e, platform p, marketplace m
where e.platform = p.id
    and e.marketplace = m.id
    and e.ts < DATEADD(hour, -1, sysdate)
