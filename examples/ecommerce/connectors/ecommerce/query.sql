select
    ecommerce.ts as "timestamp",
    platform.name as platform,
    marketplace.name as marketplace,
    ecommerce.views,
    ecommerce.revenue
from shop.ecommerce
inner join shop.platform on ecommerce.platform = platform.id
inner join shop.marketplace on ecommerce.marketplace = marketplace.id
where
    ecommerce.ts >= {{ start }}
    and ecommerce.ts < {{ end }}
