-- Times are microseconds since 1970 in UTC. A time that was never set is
-- -62135596800000000 (the year 1), or NULL where an index leaves it out.

CREATE TABLE outreach_schema (
  version bigint NOT NULL
);

CREATE TABLE outreach_links (
  id text COLLATE "C" PRIMARY KEY,
  owner text COLLATE "C" NOT NULL,
  provider text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  address text COLLATE "C" NOT NULL,
  addresses text COLLATE "C" NOT NULL, -- a JSON list
  access text COLLATE "C" NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  scopes text COLLATE "C" NOT NULL, -- a JSON list
  status text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL,
  token bytea,
  mark_by text COLLATE "C", -- NULL is no mark
  mark_until bigint NOT NULL,
  created bigint NOT NULL,
  changed bigint NOT NULL,
  version bigint NOT NULL
);

CREATE UNIQUE INDEX outreach_links_holder ON outreach_links (kind, subject) WHERE status <> 'unlinked';

CREATE INDEX outreach_links_owner ON outreach_links (owner, id);

CREATE TABLE outreach_flows (
  key text COLLATE "C" PRIMARY KEY,
  data bytea,
  expires bigint NOT NULL,
  gone bigint NOT NULL -- by the database's clock
);

CREATE INDEX outreach_flows_gone ON outreach_flows (gone);

CREATE TABLE outreach_mailboxes (
  id text COLLATE "C" PRIMARY KEY,
  link text COLLATE "C" NOT NULL,
  cursor bytea,
  read_at bigint,
  data bytea,
  version bigint NOT NULL,
  token bigint NOT NULL, -- of the latest claim
  lease_end bigint NOT NULL, -- by the database's clock
  claimed_by text COLLATE "C" NOT NULL,
  marks bigint NOT NULL, -- how many there were,
  marks_taken bigint NOT NULL, -- at the latest claim,
  marks_done bigint NOT NULL, -- and have been dealt with
  marked_at bigint NOT NULL, -- the first that has not
  first_due bigint, -- the earliest of its enrollments
  next_due bigint GENERATED ALWAYS AS (LEAST(read_at, first_due)) STORED
);

CREATE INDEX outreach_mailboxes_due ON outreach_mailboxes (next_due, id) WHERE next_due IS NOT NULL;

CREATE INDEX outreach_mailboxes_marked ON outreach_mailboxes (marked_at, id) WHERE marks > marks_done;

CREATE TABLE outreach_enrollments (
  id text COLLATE "C" PRIMARY KEY,
  host_key text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  mailbox text COLLATE "C" NOT NULL,
  link text COLLATE "C" NOT NULL,
  owner text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  recipient text COLLATE "C" NOT NULL,
  sequence text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  flagged boolean NOT NULL,
  due bigint,
  state bytea,
  data bytea,
  created bigint NOT NULL,
  version bigint NOT NULL
);

CREATE UNIQUE INDEX outreach_enrollments_host_key ON outreach_enrollments (host_key);

CREATE INDEX outreach_enrollments_due ON outreach_enrollments (mailbox, due, id) WHERE due IS NOT NULL;

CREATE INDEX outreach_enrollments_status ON outreach_enrollments (mailbox, status, id);

CREATE INDEX outreach_enrollments_recipient ON outreach_enrollments (recipient, id);

CREATE TABLE outreach_definitions (
  hash text COLLATE "C" PRIMARY KEY,
  data bytea
);

CREATE TABLE outreach_intents (
  id text COLLATE "C" PRIMARY KEY,
  enrollment text COLLATE "C" NOT NULL,
  mailbox text COLLATE "C" NOT NULL,
  step bigint NOT NULL,
  grp bigint NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  raw bytea,
  meta bytea,
  created bigint NOT NULL,
  deadline bigint NOT NULL,
  state text COLLATE "C" NOT NULL,
  ref text COLLATE "C" NOT NULL,
  thread text COLLATE "C" NOT NULL,
  real_message_id text COLLATE "C" NOT NULL,
  settled bigint NOT NULL
);

CREATE INDEX outreach_intents_enrollment ON outreach_intents (enrollment, created, id);

CREATE INDEX outreach_intents_open ON outreach_intents (mailbox, created, id) WHERE state = 'open';

CREATE TABLE outreach_index (
  mailbox text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  enrollment text COLLATE "C" NOT NULL,
  until bigint NOT NULL,
  PRIMARY KEY (mailbox, kind, value, enrollment)
);

CREATE INDEX outreach_index_value ON outreach_index (kind, value);

CREATE INDEX outreach_index_enrollment ON outreach_index (enrollment);

CREATE TABLE outreach_suppressions (
  hash text COLLATE "C" PRIMARY KEY,
  reason text COLLATE "C" NOT NULL,
  at bigint NOT NULL
);

CREATE TABLE outreach_outbox (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  enrollment text COLLATE "C" NOT NULL,
  data bytea
);

CREATE UNIQUE INDEX outreach_outbox_key ON outreach_outbox (key);

CREATE TABLE outreach_conversations (
  id text COLLATE "C" PRIMARY KEY,
  recipient text COLLATE "C" NOT NULL, -- this and the next two of the first entry
  owner text COLLATE "C" NOT NULL,
  subject bytea,
  entries bigint NOT NULL,
  last_at bigint NOT NULL,
  answer_needed boolean NOT NULL
);

CREATE INDEX outreach_conversations_last ON outreach_conversations (last_at DESC, id);

CREATE INDEX outreach_conversations_answer ON outreach_conversations (last_at DESC, id) WHERE answer_needed;

CREATE INDEX outreach_conversations_recipient ON outreach_conversations (recipient, last_at DESC, id);

CREATE TABLE outreach_people (
  person text COLLATE "C" NOT NULL, -- an owner or actor of an entry
  conversation text COLLATE "C" NOT NULL,
  PRIMARY KEY (person, conversation)
);

CREATE INDEX outreach_people_conversation ON outreach_people (conversation);

CREATE TABLE outreach_entries (
  key text COLLATE "C" PRIMARY KEY,
  conversation text COLLATE "C" NOT NULL,
  owner text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  recipient text COLLATE "C" NOT NULL,
  subject bytea,
  at bigint NOT NULL,
  data bytea -- the whole entry as JSON
);

CREATE INDEX outreach_entries_conversation ON outreach_entries (conversation, at, key);

CREATE INDEX outreach_entries_recipient ON outreach_entries (recipient);

INSERT INTO outreach_schema (version) VALUES (1);
