-- The shop of the e-commerce sample, normalised: facts by the hour, platforms and marketplaces by
-- id. These statements are the same to PostgreSQL and to Redshift.
create schema shop;

create table shop.platform (
    id integer not null primary key,
    name varchar(32) not null
);

create table shop.marketplace (
    id integer not null primary key,
    name varchar(32) not null
);

create table shop.ecommerce (
    ts timestamp not null,
    platform integer not null references shop.platform (id),
    marketplace integer not null references shop.marketplace (id),
    views bigint not null,
    revenue decimal(12, 2) not null,
    primary key (ts, platform, marketplace)
);

create table shop.funnel (
    ts timestamp not null,
    platform integer not null references shop.platform (id),
    marketplace integer not null references shop.marketplace (id),
    product_page bigint not null,
    cart bigint not null,
    checkout bigint not null,
    primary key (ts, platform, marketplace)
);
