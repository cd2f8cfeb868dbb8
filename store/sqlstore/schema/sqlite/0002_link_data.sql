-- What is opaque to the store in a link: its history and health, and who may
-- send over it.
ALTER TABLE outreach_links ADD COLUMN data blob;

UPDATE outreach_links SET status = 'linked' WHERE status = 'active';

UPDATE outreach_schema SET version = 2;
