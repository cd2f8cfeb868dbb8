-- Prune finds what is past its time.
CREATE INDEX outreach_index_until ON outreach_index (until);

UPDATE outreach_schema SET version = 3;
