"""The statements in SQLite's words: `tools/statements.py update` writes them from `statements.py`; edit that."""

# fmt: off

ACCOUNTS = (
    "SELECT accounts.username, accounts.display_name, accounts.role, accounts.standing, accounts.created FROM "
    "accounts ORDER BY accounts.id"
)

ADD_ACCOUNT = (
    "INSERT INTO accounts (username, display_name, role, standing, password, created, lobby) VALUES (:username, "
    ":display_name, :role, :standing, :password, :created, :lobby)"
)

CHANGE_DISPLAY_NAME = (
    "UPDATE accounts SET display_name=:value WHERE accounts.id = :account"
)

CHANGE_ROLE = (
    "UPDATE accounts SET role=:value WHERE accounts.id = :account"
)

CHANGE_STANDING = (
    "UPDATE accounts SET standing=:value WHERE accounts.id = :account"
)

CHANGE_PASSWORD = (
    "UPDATE accounts SET password=:value WHERE accounts.id = :account"
)

PASSWORD = (
    "SELECT accounts.password FROM accounts WHERE accounts.username = :username"
)

SESSION = (
    "SELECT sessions.id, accounts.username, sessions.created, sessions.expires, sessions.seen, sessions.device, "
    "sessions.revoked FROM sessions JOIN accounts ON sessions.account = accounts.id WHERE sessions.id = :id"
)

SESSIONS = (
    "SELECT sessions.id, accounts.username, sessions.created, sessions.expires, sessions.seen, sessions.device, "
    "sessions.revoked FROM sessions JOIN accounts ON sessions.account = accounts.id WHERE sessions.revoked = 0 AND "
    "sessions.expires > :now ORDER BY sessions.created, sessions.id"
)

SESSIONS_OF = (
    "SELECT sessions.id, accounts.username, sessions.created, sessions.expires, sessions.seen, sessions.device, "
    "sessions.revoked FROM sessions JOIN accounts ON sessions.account = accounts.id WHERE sessions.revoked = 0 AND "
    "sessions.expires > :now AND accounts.username = :username ORDER BY sessions.created, sessions.id"
)

ADD_SESSION = (
    "INSERT INTO sessions (id, account, created, expires, seen, device, revoked) VALUES (:id, :account, :created, "
    ":expires, :seen, :device, :revoked)"
)

SHORTEN = (
    "UPDATE sessions SET expires=:until WHERE sessions.account = :account AND sessions.revoked = 0 AND (:id IS "
    "NULL OR sessions.id = :id) AND (:keep IS NULL OR sessions.id != :keep) AND sessions.expires > :until"
)

REVOKE = (
    "UPDATE sessions SET revoked=1 WHERE sessions.account = :account AND sessions.revoked = 0 AND (:id IS NULL OR "
    "sessions.id = :id) AND (:keep IS NULL OR sessions.id != :keep) RETURNING id"
)

REVOKE_ALL = (
    "UPDATE sessions SET revoked=1 WHERE sessions.revoked = 0"
)

FACTOR = (
    "SELECT accounts.username, factors.secret, factors.since, factors.step, (SELECT count(*) AS count_1 FROM "
    "recoveries WHERE recoveries.account = factors.account) AS anon_1 FROM factors JOIN accounts ON "
    "factors.account = accounts.id WHERE accounts.username = :username"
)

FACTORS = (
    "SELECT accounts.username FROM factors JOIN accounts ON factors.account = accounts.id WHERE factors.since > 0"
)

FACTOR_NOW = (
    "SELECT factors.secret, factors.since FROM factors WHERE factors.account = :account"
)

OFFER_FACTOR = (
    "INSERT INTO factors (account, secret, since, step) VALUES (:account, :secret, 0, 0) ON CONFLICT (account) DO "
    "UPDATE SET secret = excluded.secret"
)

CONFIRM_FACTOR = (
    "UPDATE factors SET since=:since, step=:step WHERE factors.account = :account"
)

TAKE_STEP = (
    "UPDATE factors SET step=:step WHERE factors.account = :account AND factors.since > 0 AND factors.step < :step"
)

DROP_FACTOR = (
    "DELETE FROM factors WHERE factors.account = :account"
)

ADD_RECOVERY = (
    "INSERT INTO recoveries (account, digest) VALUES (:account, :digest)"
)

TAKE_RECOVERY = (
    "DELETE FROM recoveries WHERE recoveries.account = :account AND recoveries.digest = :digest"
)

DROP_RECOVERIES = (
    "DELETE FROM recoveries WHERE recoveries.account = :account"
)

INVITES = (
    "SELECT invites.code, invites.role, invites.uses, invites.expires, invites.created, invites.\"by\" FROM invites "
    "WHERE invites.uses > 0 AND (invites.expires = 0 OR invites.expires > :now) ORDER BY invites.created, "
    "invites.code"
)

INVITE = (
    "SELECT invites.code, invites.role, invites.uses, invites.expires, invites.created, invites.\"by\" FROM invites "
    "WHERE invites.uses > 0 AND (invites.expires = 0 OR invites.expires > :now) AND invites.code = :code"
)

ADD_INVITE = (
    "INSERT INTO invites (code, role, uses, expires, created, \"by\") VALUES (:code, :role, :uses, :expires, "
    ":created, :by)"
)

USE_INVITE = (
    "UPDATE invites SET uses=(invites.uses - 1) WHERE invites.code = :code AND invites.uses > 0 AND "
    "(invites.expires = 0 OR invites.expires > :now) RETURNING code, role, uses, expires, created, \"by\""
)

DROP_INVITE = (
    "DELETE FROM invites WHERE invites.code = :code"
)

SETTING = (
    "SELECT settings.value FROM settings WHERE settings.name = :name"
)

SET_SETTING = (
    "INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = "
    "excluded.value"
)

CONVERSATION = (
    "SELECT conversations.id, conversations.\"key\", conversations.kind, conversations.access, conversations.topic, "
    "coalesce((SELECT max(events.seq) AS max_1 FROM events WHERE events.conversation = conversations.id), 0) AS "
    "seq FROM conversations WHERE conversations.\"key\" = :key"
)

MEMBERS = (
    "SELECT accounts.username, members.since, members.moderator FROM members JOIN accounts ON members.account = "
    "accounts.id WHERE members.conversation = :conversation ORDER BY accounts.username"
)

SANCTIONS = (
    "SELECT accounts.username, sanctions.kind FROM sanctions JOIN accounts ON sanctions.account = accounts.id "
    "WHERE sanctions.conversation = :conversation"
)

SANCTION = (
    "INSERT INTO sanctions (conversation, account, kind) VALUES (:conversation, :account, :kind) ON CONFLICT DO "
    "NOTHING"
)

LIFT = (
    "DELETE FROM sanctions WHERE sanctions.conversation = :conversation AND sanctions.account = :account AND "
    "sanctions.kind = :kind"
)

MODERATOR = (
    "UPDATE members SET moderator=:moderator WHERE members.conversation = :conversation AND members.account = "
    ":account"
)

MUTE = (
    "INSERT INTO marks (account, conversation, read, muted) VALUES (:account, :conversation, 0, :muted) ON "
    "CONFLICT (account, conversation) DO UPDATE SET muted = excluded.muted"
)

ROOMS = (
    "SELECT conversations.\"key\", conversations.kind, conversations.access, conversations.topic, coalesce((SELECT "
    "max(events.seq) AS max_1 FROM events WHERE events.conversation = conversations.id), 0) AS seq, "
    "conversations.members FROM conversations WHERE conversations.kind = 'room' ORDER BY conversations.id"
)

POSITION = (
    "SELECT coalesce(last_event.id, 0) AS last, conversations.id FROM conversations LEFT OUTER JOIN events AS "
    "last_event ON last_event.conversation = conversations.id AND last_event.seq = (SELECT max(events.seq) AS "
    "max_1 FROM events WHERE events.conversation = conversations.id) WHERE conversations.\"key\" = :key"
)

OVERVIEW = (
    "WITH page AS (SELECT conversations.id AS id, conversations.\"key\" AS \"key\", conversations.kind AS kind, "
    "conversations.access AS access, conversations.topic AS topic, coalesce(last_event.seq, 0) AS seq, "
    "coalesce(last_event.id, 0) AS last, CASE WHEN (coalesce(last_event.seq, 0) > conversations.seq) THEN "
    "coalesce(last_event.id, 0) ELSE conversations.latest END AS latest, conversations.members AS members, "
    "coalesce(members.since, 1) AS since, coalesce(marks.muted, 0) AS muted, max(coalesce(marks.read, 0), CASE "
    "WHEN (conversations.id = 1) THEN (SELECT accounts.lobby FROM accounts WHERE accounts.id = :account) WHEN "
    "(conversations.kind = 'room') THEN members.since ELSE 0 END) AS read FROM conversations LEFT OUTER JOIN "
    "events AS last_event ON last_event.conversation = conversations.id AND last_event.seq = (SELECT "
    "max(events.seq) AS max_1 FROM events WHERE events.conversation = conversations.id) LEFT OUTER JOIN members ON "
    "members.conversation = conversations.id AND members.account = :account LEFT OUTER JOIN marks ON marks.account "
    "= :account AND marks.conversation = conversations.id WHERE conversations.id IN (SELECT members.conversation "
    "FROM members WHERE members.account = :account UNION ALL SELECT 1 AS anon_1) AND (coalesce(last_event.id, 0) < "
    ":last OR coalesce(last_event.id, 0) = :last AND conversations.id < :id) ORDER BY coalesce(last_event.id, 0) "
    "DESC, conversations.id DESC LIMIT :most OFFSET 0) SELECT page.id, page.\"key\", page.kind, page.access, "
    "page.topic, page.seq, page.last, page.latest, page.members, page.since, page.muted, page.read, (SELECT "
    "count(*) AS count_1 FROM events WHERE events.conversation = page.id AND events.seq > page.read AND events.seq "
    "< ((page.read >> 9) + 1) * 512 AND events.type = 0 AND events.deleted = 0 AND events.sender != :account) + "
    "(SELECT coalesce(sum(tallies.texts), 0) AS coalesce_1 FROM tallies WHERE tallies.conversation = page.id AND "
    "tallies.bucket > (page.read >> 9) AND tallies.bucket < (page.seq >> 9) AND tallies.sender != :account) + "
    "(SELECT count(*) AS count_2 FROM events WHERE events.conversation = page.id AND events.seq >= max((page.read "
    ">> 9) + 1, page.seq >> 9) * 512 AND events.seq <= page.seq AND events.type = 0 AND events.deleted = 0 AND "
    "events.sender != :account) AS unread, (SELECT count(*) AS count_3 FROM mentions WHERE mentions.account IN (0, "
    ":account) AND mentions.conversation = page.id AND mentions.seq > page.read AND mentions.sender != :account) "
    "AS mentions FROM page ORDER BY page.last DESC, page.id DESC"
)
