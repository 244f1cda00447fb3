-- What respondents said in their own words, how they rated what drives their score, and which segments they are of.
alter table core.responses add column comment varchar;           -- as it was written: it may name persons, and never leaves core
alter table core.responses add column comment_language varchar;  -- as the data tell it
alter table core.responses add column drivers map(varchar, double);    -- the rating per driver; NULL where none was given
alter table core.responses add column segments map(varchar, varchar);  -- the label per segment
