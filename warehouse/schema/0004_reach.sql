-- How many people promoters told and how many of them acted: sums over promoters, from which reach and conversion follow.
alter table core.tallies add column people_told bigint default 0;         -- of bands the lower bound
alter table core.tallies add column people_told_squares decimal(38, 0) default 0;
alter table core.tallies add column paired bigint default 0;              -- who told at least told_min others and said how many acted
alter table core.tallies add column paired_told bigint default 0;         -- people told by those, at least
alter table core.tallies add column paired_acted bigint default 0;        -- people who acted on it
alter table core.tallies add column paired_told_squares decimal(38, 0) default 0;
alter table core.tallies add column paired_acted_squares decimal(38, 0) default 0;
alter table core.tallies add column paired_products decimal(38, 0) default 0;
