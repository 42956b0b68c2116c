-- One row for each time that somebody looked, whether or not a session was at work.
create schema if not exists bartizan;

create table if not exists bartizan.activity_tick (
    ts timestamp not null primary key
);

-- How many sessions were at work on the same, and what they waited for.
create table if not exists bartizan.activity_sample (
    ts timestamp not null,
    database varchar(63) not null,
    wait varchar(128) not null,
    digest char(16) not null,
    sessions integer not null,
    primary key (ts, database, wait, digest)
);

-- Statements by digest, without their literals.
create table if not exists bartizan.activity_statement (
    digest char(16) not null primary key,
    statement varchar(1024) not null
);
