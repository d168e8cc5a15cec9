"""The conversations of an account, as WELCOME lists them, with exact counts of what is unread.

How unread is counted, exactly and fast: texts are tallied by sender per 512 consecutive seqs (a bucket) once these are
complete, and a deletion lowers the tally. Unread is the rest of the bucket that the read mark is in, plus the others'
tallies between, plus the incomplete bucket at the end: two short walks over events and a sum, however long nobody read.
Mentions have rows of their own, which a deletion removes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.sqlite import dialect

from alonechat.core.store.schema import (
    BUCKET,
    EVERYBODY,
    LOBBY_ID,
    accounts,
    conversations,
    events,
    marks,
    members,
    mentions,
    tallies,
)

_c, _m, _k, _e = conversations.c, members.c, marks.c, events.c


def _conversations() -> Select[Any]:
    me = bindparam("account", type_=Integer)
    mine = union_all(select(_m.conversation).where(_m.account == me), select(literal(LOBBY_ID)))
    floor = case(
        (_c.id == LOBBY_ID, select(accounts.c.lobby).where(accounts.c.id == me).scalar_subquery()),
        (_c.kind == "room", _m.since),
        else_=0,
    )
    last, id = bindparam("last", type_=Integer), bindparam("id", type_=Integer)
    page = (
        select(
            _c.id,
            _c.key,
            _c.kind,
            _c.access,
            _c.topic,
            _c.seq,
            _c.last,
            _c.latest,
            _c.members,
            func.coalesce(_m.since, 1).label("since"),
            func.coalesce(_k.muted, False).label("muted"),
            func.max(func.coalesce(_k.read, 0), floor).label("read"),
        )
        .select_from(conversations)
        .outerjoin(members, and_(_m.conversation == _c.id, _m.account == me))
        .outerjoin(marks, and_(_k.account == me, _k.conversation == _c.id))
        .where(_c.id.in_(mine), (_c.last < last) | ((_c.last == last) & (_c.id < id)))
        .order_by(_c.last.desc(), _c.id.desc())
        .limit(bindparam("most", type_=Integer))
        .cte("page")
    )
    p = page.c
    addressed = (
        select(func.count())
        .select_from(mentions)
        .where(
            mentions.c.account.in_([EVERYBODY, me]),
            mentions.c.conversation == p.id,
            mentions.c.seq > p.read,
            mentions.c.sender != me,
        )
        .scalar_subquery()
    )
    unread = _unread(p.id, p.read, p.seq, me)
    return select(page, unread.label("unread"), addressed.label("mentions")).order_by(p.last.desc(), p.id.desc())


def _unread(conversation: Any, read: Any, seq: Any, account: Any) -> ColumnElement[int]:
    width = literal(1 << BUCKET)
    bucket, tail = read.op(">>")(BUCKET), seq.op(">>")(BUCKET)
    rest = _texts(conversation, account, _e.seq > read, _e.seq < (bucket + 1) * width)
    end = _texts(conversation, account, _e.seq >= func.max(bucket + 1, tail) * width, _e.seq <= seq)
    between = (
        select(func.coalesce(func.sum(tallies.c.texts), 0))
        .where(tallies.c.conversation == conversation, tallies.c.bucket > bucket, tallies.c.bucket < tail)
        .where(tallies.c.sender != account)
        .scalar_subquery()
    )
    return rest + between + end


def _texts(conversation: Any, account: Any, *bounds: Any) -> ScalarSelect[int]:
    """How many live texts of others lie within the bounds."""
    return (
        select(func.count())
        .select_from(events)
        .where(_e.conversation == conversation, *bounds, _e.type == 0, _e.deleted == 0, _e.sender != account)
        .scalar_subquery()
    )


class Overviewed(NamedTuple):
    """A row of `OVERVIEW`."""

    id: int
    key: str
    kind: str
    access: str
    topic: str
    seq: int
    last: int
    latest: int
    members: int
    since: int
    muted: int
    read: int
    unread: int
    mentions: int


_compiled = _conversations().compile(dialect=dialect(paramstyle="named"))
OVERVIEW, GIVEN = str(_compiled), _compiled.params
"""A row for each of at most `most` conversations of `account`, latest event first, from after (`last`, `id`) on. The
SQL is written once, for every WELCOME asks it; `GIVEN` are its constants."""
