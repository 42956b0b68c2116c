select
    funnel.ts as "timestamp",
    platform.name as platform,
    marketplace.name as marketplace,
    funnel.product_page,
    funnel.cart,
    funnel.checkout
from shop.funnel
inner join shop.platform on funnel.platform = platform.id
inner join shop.marketplace on funnel.marketplace = marketplace.id
where
    funnel.ts >= {{ start }}
    and funnel.ts < {{ end }}
