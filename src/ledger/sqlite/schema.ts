/** "taxi": what makes a SQLite file a ledger of ours. */
export const applicationId = 0x74617869

/**
 * The ledger's tables, as an ordered list of migrations: a step is only ever added at the end. The number of steps that a file
 * has been through is its `user_version`.
 */
export const migrations: readonly string[] = [
  `
-- Every name is written once: agents, models, runs, sessions and the rest are numbers everywhere else.
-- Found by a number made from the text, which takes a third of what an index over the texts would.
CREATE TABLE names (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX names_hash ON names (hash);

-- The shape of a charge (basis, book, rates), which few calls have to themselves. Price lines are made from it and the usage.
CREATE TABLE cards (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX cards_hash ON cards (hash);

-- Every event as it came. Only 'counted' is ever changed: of the reports of one call, one is counted.
-- kind 0 model call, 1 tool call, 2 run record. Cost in pico-dollars; NULL is unpriced. Input and output tokens are the prompt's
-- and completion's totals less what 'usage' lists. 'call' is the number of the call key (see wire.ts).
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  at INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  counted INTEGER NOT NULL,
  source INTEGER NOT NULL,
  status INTEGER,
  attempt INTEGER,
  basis INTEGER,
  agent INTEGER,
  session INTEGER,
  run INTEGER,
  step INTEGER,
  task INTEGER,
  release INTEGER,
  environment INTEGER,
  team INTEGER,
  user INTEGER,
  key INTEGER,
  provider INTEGER,
  model INTEGER,
  tool INTEGER,
  traits INTEGER,
  tags INTEGER,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  usage BLOB,
  cost INTEGER,
  card INTEGER,
  duration INTEGER,
  first_byte INTEGER,
  call INTEGER,
  call_prefix INTEGER,
  call_key BLOB,
  prompt_hash BLOB,
  extra TEXT
);
CREATE UNIQUE INDEX entries_id ON entries (id);
CREATE UNIQUE INDEX entries_call ON entries (call) WHERE counted = 1;
CREATE INDEX entries_call_other ON entries (call) WHERE counted = 0 AND call IS NOT NULL;
CREATE INDEX entries_at ON entries (at);
CREATE INDEX entries_run ON entries (run) WHERE run IS NOT NULL;

-- In which quarters of an hour a session or a user has entries: a row per quarter, where an index would have one per call.
CREATE TABLE whereabouts (name INTEGER NOT NULL, quarter INTEGER NOT NULL, PRIMARY KEY (name, quarter)) WITHOUT ROWID;

-- Totals per run, changed in the transaction that changes the entries. Money in two parts, high × 2³² + low, so that no sum of
-- any number of runs leaves 64 bits.
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  starts INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  parent INTEGER,
  agent INTEGER,
  session INTEGER,
  task INTEGER,
  release INTEGER,
  environment INTEGER,
  team INTEGER,
  user INTEGER,
  key INTEGER,
  status INTEGER,
  stop_reason INTEGER,
  budget TEXT,
  llm_high INTEGER NOT NULL,
  llm_low INTEGER NOT NULL,
  tool_high INTEGER NOT NULL,
  tool_low INTEGER NOT NULL,
  cost_high INTEGER NOT NULL,
  cost_low INTEGER NOT NULL,
  llm_calls INTEGER NOT NULL,
  tool_calls INTEGER NOT NULL,
  retries INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  origins TEXT
);
CREATE INDEX runs_started ON runs (started_at);
CREATE INDEX runs_parent ON runs (parent) WHERE parent IS NOT NULL;

-- Sums per 15 minutes, and per UTC day that is over, column by column (see chunk.ts). The id holds level, bucket and part.
CREATE TABLE rollup (id INTEGER PRIMARY KEY, tier INTEGER NOT NULL, rows INTEGER NOT NULL, data BLOB NOT NULL, lines BLOB, times BLOB);

-- 'writer': who wrote last. 'newest': the latest 15 minutes that have entries; what is over before it is rolled up.
CREATE TABLE ledger (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Model calls for plain SQL: cost in dollars, NULL where no price was known; timestamp in UTC.
CREATE VIEW token_usage AS
SELECT
  lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4) || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) AS id,
  (SELECT text FROM names WHERE names.id = e.session) AS session_id,
  (SELECT text FROM names WHERE names.id = e.task) AS task_type,
  (SELECT text FROM names WHERE names.id = e.model) AS model,
  e.prompt_tokens AS prompt_tokens,
  e.completion_tokens AS completion_tokens,
  coalesce(e.cost, CAST(json_extract(e.extra, '$.cost') AS REAL)) / 1e12 AS cost,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0, 'unixepoch') AS timestamp
FROM entries AS e
WHERE e.kind = 0 AND e.counted = 1;
`,
  `
-- In which quarters of an hour a session (attribute 0) or a user (1) has entries, and when the first and the last of them were.
DROP TABLE whereabouts;
CREATE TABLE whereabouts (
  attribute INTEGER NOT NULL,
  quarter INTEGER NOT NULL,
  name INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (attribute, quarter, name)
) WITHOUT ROWID;
INSERT INTO whereabouts
SELECT 0, at / 900000, session, min(at), max(at) FROM entries WHERE session IS NOT NULL GROUP BY at / 900000, session;
INSERT INTO whereabouts
SELECT 1, at / 900000, user, min(at), max(at) FROM entries WHERE user IS NOT NULL GROUP BY at / 900000, user;
CREATE INDEX whereabouts_name ON whereabouts (name);
CREATE INDEX runs_session ON runs (session) WHERE session IS NOT NULL;

-- Everything but quarters is rolled up anew, in more families, when the next entries come.
DELETE FROM rollup WHERE id >= 281474976710656;
DELETE FROM ledger WHERE name = 'newest';
`,
  `
-- Runs column by column (see run-columns.ts), by the six hours in which they began: of those that are over. 'ended' is when the last
-- of them did. NULL where a run has changed since.
CREATE TABLE run_columns (bucket INTEGER PRIMARY KEY, ended INTEGER, data BLOB);
INSERT INTO run_columns (bucket) SELECT DISTINCT started_at / 21600000 FROM runs;

-- Hours by run are rolled up as well: everything but quarters is made anew when the next entries come.
DELETE FROM rollup WHERE id >= 281474976710656;
DELETE FROM ledger WHERE name = 'newest';
`,
]
