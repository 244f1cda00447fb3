-- How the sample was drawn: which answers are of the same stratum and, within it, of the same cluster.
alter table core.responses add column stratum_key uhugeint;  -- keyed hash of the stratum; NULL where none is mapped or given
alter table core.responses add column cluster_key uhugeint;  -- the same of the cluster: a journey, a household
