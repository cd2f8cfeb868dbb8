-- Times are microseconds since 1970 in UTC. A time that was never set is
-- -62135596800000000 (the year 1), or NULL where an index leaves it out.

CREATE TABLE outreach_schema (
  version integer NOT NULL
);

CREATE TABLE outreach_links (
  id text NOT NULL PRIMARY KEY,
  owner text NOT NULL,
  provider text NOT NULL,
  kind text NOT NULL,
  subject text NOT NULL,
  address text NOT NULL,
  addresses text NOT NULL, -- a JSON list
  access text NOT NULL,
  tenant text NOT NULL,
  scopes text NOT NULL, -- a JSON list
  status text NOT NULL,
  reason text NOT NULL,
  token blob,
  mark_by text, -- NULL is no mark
  mark_until integer NOT NULL,
  created integer NOT NULL,
  changed integer NOT NULL,
  version integer NOT NULL
);

CREATE UNIQUE INDEX outreach_links_holder ON outreach_links (kind, subject) WHERE status <> 'unlinked';

CREATE INDEX outreach_links_owner ON outreach_links (owner, id);

CREATE TABLE outreach_flows (
  key text NOT NULL PRIMARY KEY,
  data blob,
  expires integer NOT NULL,
  gone integer NOT NULL -- by the clock of the processes
);

CREATE INDEX outreach_flows_gone ON outreach_flows (gone);

CREATE TABLE outreach_mailboxes (
  id text NOT NULL PRIMARY KEY,
  link text NOT NULL,
  cursor blob,
  read_at integer,
  data blob,
  version integer NOT NULL,
  token integer NOT NULL, -- of the latest claim
  lease_end integer NOT NULL, -- by the clock of the processes
  claimed_by text NOT NULL,
  marks integer NOT NULL, -- how many there were,
  marks_taken integer NOT NULL, -- at the latest claim,
  marks_done integer NOT NULL, -- and have been dealt with
  marked_at integer NOT NULL, -- the first that has not
  first_due integer, -- the earliest of its enrollments
  next_due integer GENERATED ALWAYS AS (min(coalesce(read_at, first_due), coalesce(first_due, read_at))) STORED
);

CREATE INDEX outreach_mailboxes_due ON outreach_mailboxes (next_due, id) WHERE next_due IS NOT NULL;

CREATE INDEX outreach_mailboxes_marked ON outreach_mailboxes (marked_at, id) WHERE marks > marks_done;

CREATE TABLE outreach_enrollments (
  id text NOT NULL PRIMARY KEY,
  host_key text NOT NULL,
  kind text NOT NULL,
  mailbox text NOT NULL,
  link text NOT NULL,
  owner text NOT NULL,
  actor text NOT NULL,
  recipient text NOT NULL,
  sequence text NOT NULL,
  status text NOT NULL,
  flagged integer NOT NULL,
  due integer,
  state blob,
  data blob,
  created integer NOT NULL,
  version integer NOT NULL
);

CREATE UNIQUE INDEX outreach_enrollments_host_key ON outreach_enrollments (host_key);

CREATE INDEX outreach_enrollments_due ON outreach_enrollments (mailbox, due, id) WHERE due IS NOT NULL;

CREATE INDEX outreach_enrollments_status ON outreach_enrollments (mailbox, status, id);

CREATE INDEX outreach_enrollments_recipient ON outreach_enrollments (recipient, id);

CREATE TABLE outreach_definitions (
  hash text NOT NULL PRIMARY KEY,
  data blob
);

CREATE TABLE outreach_intents (
  id text NOT NULL PRIMARY KEY,
  enrollment text NOT NULL,
  mailbox text NOT NULL,
  step integer NOT NULL,
  grp integer NOT NULL,
  message_id text NOT NULL,
  key text NOT NULL,
  raw blob,
  meta blob,
  created integer NOT NULL,
  deadline integer NOT NULL,
  state text NOT NULL,
  ref text NOT NULL,
  thread text NOT NULL,
  real_message_id text NOT NULL,
  settled integer NOT NULL
);

CREATE INDEX outreach_intents_enrollment ON outreach_intents (enrollment, created, id);

CREATE INDEX outreach_intents_open ON outreach_intents (mailbox, created, id) WHERE state = 'open';

CREATE TABLE outreach_index (
  mailbox text NOT NULL,
  kind text NOT NULL,
  value text NOT NULL,
  enrollment text NOT NULL,
  until integer NOT NULL,
  PRIMARY KEY (mailbox, kind, value, enrollment)
) WITHOUT ROWID;

CREATE INDEX outreach_index_value ON outreach_index (kind, value);

CREATE INDEX outreach_index_enrollment ON outreach_index (enrollment);

CREATE TABLE outreach_suppressions (
  hash text NOT NULL PRIMARY KEY,
  reason text NOT NULL,
  at integer NOT NULL
);

CREATE TABLE outreach_outbox (
  seq integer PRIMARY KEY AUTOINCREMENT,
  key text NOT NULL,
  kind text NOT NULL,
  enrollment text NOT NULL,
  data blob
);

CREATE UNIQUE INDEX outreach_outbox_key ON outreach_outbox (key);

CREATE TABLE outreach_conversations (
  id text NOT NULL PRIMARY KEY,
  recipient text NOT NULL, -- this and the next two of the first entry
  owner text NOT NULL,
  subject blob,
  entries integer NOT NULL,
  last_at integer NOT NULL,
  answer_needed integer NOT NULL
);

CREATE INDEX outreach_conversations_last ON outreach_conversations (last_at DESC, id);

CREATE INDEX outreach_conversations_answer ON outreach_conversations (last_at DESC, id) WHERE answer_needed;

CREATE INDEX outreach_conversations_recipient ON outreach_conversations (recipient, last_at DESC, id);

CREATE TABLE outreach_people (
  person text NOT NULL, -- an owner or actor of an entry
  conversation text NOT NULL,
  PRIMARY KEY (person, conversation)
) WITHOUT ROWID;

CREATE INDEX outreach_people_conversation ON outreach_people (conversation);

CREATE TABLE outreach_entries (
  key text NOT NULL PRIMARY KEY,
  conversation text NOT NULL,
  owner text NOT NULL,
  actor text NOT NULL,
  recipient text NOT NULL,
  subject blob,
  at integer NOT NULL,
  data blob -- the whole entry as JSON
);

CREATE INDEX outreach_entries_conversation ON outreach_entries (conversation, at, key);

CREATE INDEX outreach_entries_recipient ON outreach_entries (recipient);

INSERT INTO outreach_schema (version) VALUES (1);
