-- How many promoters the numbers of people told, and of people who acted, are made of: of a few these would tell too much.
alter table core.tallies add column tellers bigint default 0;             -- promoters who told anyone at all
alter table core.tallies add column paired_with_effect bigint default 0;  -- of the paired, those whose telling anyone acted on
