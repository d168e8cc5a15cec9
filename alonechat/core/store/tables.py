"""The tables as the statements name them now. `schema` makes them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table

meta = MetaData()

accounts = Table(
    "accounts",
    meta,
    Column("id", Integer, primary_key=True),
    Column("username", String),
    Column("display_name", String),
    Column("role", String),
    Column("standing", String),
    Column("password", String),
    Column("created", Integer),
    Column("lobby", Integer),  # the seq of #lobby when the account was made: its first read mark there
)
conversations = Table(
    "conversations",
    meta,
    Column("id", Integer, primary_key=True),
    Column("key", String),
    Column("kind", String),
    Column("access", String),
    Column("topic", String),
    # The next three are as of the last event that is no text: what follows it are texts, none deleted, and a commit of
    # these alone does not write here. `statements` asks the log for the end as it is.
    Column("seq", Integer),
    Column("last", Integer),  # the id of the event at seq, 0 for none
    Column("latest", Integer),  # the id of the latest TEXT up to seq that is not deleted, 0 for none
    Column("members", Integer),
)
members = Table(
    "members",
    meta,
    Column("conversation", Integer, primary_key=True),
    Column("account", Integer, primary_key=True),
    Column("since", Integer),
    Column("moderator", Boolean),
)
marks = Table(
    "marks",
    meta,
    Column("account", Integer, primary_key=True),
    Column("conversation", Integer, primary_key=True),
    Column("read", Integer),
    Column("muted", Boolean),
)
sanctions = Table(
    "sanctions",
    meta,
    Column("conversation", Integer, primary_key=True),
    Column("account", Integer, primary_key=True),
    Column("kind", String, primary_key=True),
)
events = Table(
    "events",
    meta,
    Column("id", Integer, primary_key=True),
    Column("conversation", Integer),
    Column("seq", Integer),
    Column("type", Integer),
    Column("sender", Integer),
    Column("stamp", Integer),
    Column("content", String),
    Column("nonce", String),
    Column("ref", Integer),
    Column("extra", String),  # JSON of what few events have: mentions, attachments, via, by, removed
    Column("deleted", Integer),
)
edits = Table("edits", meta, Column("message", Integer, primary_key=True), Column("edit", Integer))
reactions = Table(
    "reactions",
    meta,
    Column("message", Integer, primary_key=True),
    Column("emoji", String, primary_key=True),
    Column("account", Integer, primary_key=True),
    Column("given", Integer),
)
mentions = Table(
    "mentions",
    meta,
    Column("account", Integer, primary_key=True),
    Column("conversation", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("sender", Integer),
)
tallies = Table(
    "tallies",
    meta,
    Column("conversation", Integer, primary_key=True),
    Column("bucket", Integer, primary_key=True),
    Column("sender", Integer, primary_key=True),
    Column("texts", Integer),
)
sessions = Table(
    "sessions",
    meta,
    Column("id", String, primary_key=True),
    Column("account", Integer),
    Column("created", Integer),
    Column("expires", Integer),
    Column("seen", Integer),
    Column("device", String),
    Column("revoked", Boolean),
)
invites = Table(
    "invites",
    meta,
    Column("code", String, primary_key=True),
    Column("role", String),
    Column("uses", Integer),
    Column("expires", Integer),
    Column("created", Integer),
    Column("by", String),
)
factors = Table(
    "factors",
    meta,
    Column("account", Integer, primary_key=True),
    Column("secret", String),  # base32
    Column("since", Integer),  # when it was confirmed, in ms; 0 while it is only offered, and not asked for
    Column("step", Integer),  # of the last code that was taken: none is taken twice
)
recoveries = Table(
    "recoveries",
    meta,
    Column("account", Integer, primary_key=True),
    Column("digest", String, primary_key=True),
)
settings = Table("settings", meta, Column("name", String, primary_key=True), Column("value", String))
shards = Table("shards", meta, Column("number", Integer, primary_key=True), Column("first", Integer))
spread = Table(  # which conversations have texts in which shard of the index
    "spread",
    meta,
    Column("conversation", Integer, primary_key=True),
    Column("shard", Integer, primary_key=True),
)
uploads = Table(
    "uploads",
    meta,
    Column("number", Integer, primary_key=True),
    Column("id", String),
    Column("account", Integer),
    Column("created", Integer),
    Column("size", Integer),
    Column("width", Integer),
    Column("height", Integer),
    Column("name", String),
    Column("mime", String),
)
loose = Table("loose", meta, Column("upload", Integer, primary_key=True))  # those that no message bears
attachments = Table("attachments", meta, Column("upload", Integer, primary_key=True), Column("event", Integer))
purges = Table("purges", meta, Column("shard", Integer, primary_key=True))
