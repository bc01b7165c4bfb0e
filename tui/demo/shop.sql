-- The demo's database "shop": a stock that everybody writes to, and orders. Run once, as superuser, by schema.py.
create role shop_app login;
create role shop_api login;
create role reporting login;
create table stock (sku text primary key, title text not null, qty integer not null);
create table orders (id bigint generated always as identity primary key,
                     placed_at timestamptz not null default now(), customer text not null);
create table items (order_id bigint not null references orders, sku text not null, qty integer not null);
create index on items (order_id);
insert into stock
    select 'KX-' || n, (array['lamp', 'kettle', 'chair', 'rug', 'clock'])[1 + n % 5] || ' no. ' || n, 1000000
    from generate_series(1001, 1200) n;
insert into orders (customer) select 'customer ' || n from generate_series(1, 500) n;
insert into items select n, 'KX-' || 1001 + n % 200, 1 + n % 3 from generate_series(1, 500) n;
grant select, insert, update on all tables in schema public to shop_app, shop_api;
grant select on all tables in schema public to reporting;
do $$
begin
    if current_setting('shared_preload_libraries') like '%pg_stat_statements%' then
        create extension pg_stat_statements;
    end if;
end $$;
analyze;
