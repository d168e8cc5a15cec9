"""The statements in SQLAlchemy Core: the source of `sql.py`, which `tools/statements.py` writes. A server loads only
what was written there: SQLAlchemy would be half a second of its start, and 20 MB."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    String,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.sqlite import Insert, insert

from alonechat.core.store.schema import BUCKET, EVERYBODY, LOBBY_ID
from alonechat.core.store.tables import (
    accounts,
    conversations,
    events,
    factors,
    invites,
    marks,
    members,
    mentions,
    recoveries,
    sanctions,
    sessions,
    settings,
    tallies,
)

_a, _c, _m, _k, _e = accounts.c, conversations.c, members.c, marks.c, events.c
_s, _i, _f, _r = sessions.c, invites.c, factors.c, recoveries.c


def _seq() -> ColumnElement[int]:
    """Of the last event of a row of `conversations`, which itself may lag behind (`tables`); 0 before the first."""
    return func.coalesce(_highest(), 0).label("seq")


def _highest() -> ScalarSelect[int]:
    return select(func.max(_e.seq)).where(_e.conversation == _c.id).correlate(conversations).scalar_subquery()


def _is_last(event: Any) -> ColumnElement[bool]:
    """Whether `event`, an alias of `events`, is the last one of a row of `conversations`."""
    return and_(event.c.conversation == _c.id, event.c.seq == _highest())


def _overview() -> Select[Any]:
    me = bindparam("account", type_=Integer)
    mine = union_all(select(_m.conversation).where(_m.account == me), select(literal(LOBBY_ID)))
    floor = case(
        (_c.id == LOBBY_ID, select(accounts.c.lobby).where(accounts.c.id == me).scalar_subquery()),
        (_c.kind == "room", _m.since),
        else_=0,
    )
    last, id = bindparam("last", type_=Integer), bindparam("id", type_=Integer)
    end = events.alias("last_event")
    seq, at = func.coalesce(end.c.seq, 0), func.coalesce(end.c.id, 0)
    page = (
        select(
            _c.id,
            _c.key,
            _c.kind,
            _c.access,
            _c.topic,
            seq.label("seq"),
            at.label("last"),
            case((seq > _c.seq, at), else_=_c.latest).label("latest"),
            _c.members,
            func.coalesce(_m.since, 1).label("since"),
            func.coalesce(_k.muted, False).label("muted"),
            func.max(func.coalesce(_k.read, 0), floor).label("read"),
        )
        .select_from(conversations)
        .outerjoin(end, _is_last(end))
        .outerjoin(members, and_(_m.conversation == _c.id, _m.account == me))
        .outerjoin(marks, and_(_k.account == me, _k.conversation == _c.id))
        .where(_c.id.in_(mine), (at < last) | ((at == last) & (_c.id < id)))
        .order_by(at.desc(), _c.id.desc())
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


def _position() -> Select[Any]:
    end = events.alias("last_event")
    found = select(func.coalesce(end.c.id, 0).label("last"), _c.id)
    return found.select_from(conversations).outerjoin(end, _is_last(end)).where(_of(conversations, "key"))


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


def _given(name: str) -> Any:
    return bindparam(name, type_=Integer)


def _text(name: str) -> Any:
    return bindparam(name, type_=String)


def _sessions() -> Select[Any]:
    columns = (_s.id, _a.username, _s.created, _s.expires, _s.seen, _s.device, _s.revoked)
    return select(*columns).join_from(sessions, accounts, _s.account == _a.id)


def _holding() -> Select[Any]:
    """The sign-ins that hold at `now`."""
    return _sessions().where(~_s.revoked, _s.expires > _given("now")).order_by(_s.created, _s.id)


def _live() -> ColumnElement[bool]:
    """The invites that hold at `now`."""
    return and_(_i.uses > 0, or_(_i.expires == 0, _i.expires > _given("now")))


def _invites() -> Select[Any]:
    return select(_i.code, _i.role, _i.uses, _i.expires, _i.created, _i.by).where(_live())


def _chosen() -> ColumnElement[bool]:
    """The sign-ins of `account` that are not revoked: only `id` unless it is NULL, and not `keep`."""
    id, keep = _text("id"), _text("keep")
    which = or_(id == null(), _s.id == id), or_(keep == null(), _s.id != keep)
    return and_(_s.account == _given("account"), ~_s.revoked, *which)


def _change(column: str) -> Any:
    return update(accounts).where(_a.id == _given("account")).values({column: _text("value")})


def _upsert_setting() -> Any:
    put = insert(settings).values(name=_text("name"), value=_text("value"))
    return put.on_conflict_do_update(index_elements=["name"], set_={"value": put.excluded.value})


def _upsert_mute() -> Any:
    put = insert(marks).values(
        account=_given("account"), conversation=_given("conversation"), read=literal(0), muted=_given("muted")
    )
    return put.on_conflict_do_update(index_elements=["account", "conversation"], set_={"muted": put.excluded.muted})


def _sanction() -> ColumnElement[bool]:
    s = sanctions.c
    return and_(s.conversation == _given("conversation"), s.account == _given("account"), s.kind == _text("kind"))


def _offer() -> Insert:
    """A second factor that is not asked for yet, instead of another one that was only offered."""
    put = insert(factors).values(account=_given("account"), secret=_text("secret"), since=literal(0), step=literal(0))
    return put.on_conflict_do_update(index_elements=["account"], set_={"secret": put.excluded.secret})


def _factor() -> Select[Any]:
    left = select(func.count()).where(_r.account == _f.account).correlate(factors).scalar_subquery()
    return select(_a.username, _f.secret, _f.since, _f.step, left).join_from(factors, accounts, _f.account == _a.id)


def _of(table: Table, column: str) -> ColumnElement[bool]:
    """Only rows whose `column` is what is given under its name."""
    found: ColumnElement[bool] = table.c[column] == _text(column)
    return found


def _insert(table: Table, number: str = "") -> Insert:
    """A row of all columns, each given under its name; the column `number` is SQLite's to fill."""
    return insert(table).values({each.name: bindparam(each.name) for each in table.c if each.name != number})


STATEMENTS: dict[str, Any] = {
    "ACCOUNTS": select(_a.username, _a.display_name, _a.role, _a.standing, _a.created).order_by(_a.id),
    "ADD_ACCOUNT": _insert(accounts, "id"),
    "CHANGE_DISPLAY_NAME": _change("display_name"),
    "CHANGE_ROLE": _change("role"),
    "CHANGE_STANDING": _change("standing"),
    "CHANGE_PASSWORD": _change("password"),
    "PASSWORD": select(_a.password).where(_of(accounts, "username")),
    "SESSION": _sessions().where(_of(sessions, "id")),
    "SESSIONS": _holding(),
    "SESSIONS_OF": _holding().where(_of(accounts, "username")),
    "ADD_SESSION": _insert(sessions),
    "SHORTEN": update(sessions).where(_chosen(), _s.expires > _given("until")).values(expires=_given("until")),
    "REVOKE": update(sessions).where(_chosen()).values(revoked=literal(True)).returning(_s.id),
    "REVOKE_ALL": update(sessions).where(~_s.revoked).values(revoked=literal(True)),
    "FACTOR": _factor().where(_of(accounts, "username")),
    "FACTORS": select(_a.username).join_from(factors, accounts, _f.account == _a.id).where(_f.since > literal(0)),
    "FACTOR_NOW": select(_f.secret, _f.since).where(_f.account == _given("account")),
    "OFFER_FACTOR": _offer(),
    "CONFIRM_FACTOR": update(factors)
    .where(_f.account == _given("account"))
    .values(since=_given("since"), step=_given("step")),
    "TAKE_STEP": update(factors)
    .where(_f.account == _given("account"), _f.since > literal(0), _f.step < _given("step"))
    .values(step=_given("step")),
    "DROP_FACTOR": delete(factors).where(_f.account == _given("account")),
    "ADD_RECOVERY": _insert(recoveries),
    "TAKE_RECOVERY": delete(recoveries).where(_r.account == _given("account"), _r.digest == _text("digest")),
    "DROP_RECOVERIES": delete(recoveries).where(_r.account == _given("account")),
    "INVITES": _invites().order_by(_i.created, _i.code),
    "INVITE": _invites().where(_of(invites, "code")),
    "ADD_INVITE": _insert(invites),
    "USE_INVITE": update(invites)
    .where(_of(invites, "code"), _live())
    .values(uses=_i.uses - 1)
    .returning(_i.code, _i.role, _i.uses, _i.expires, _i.created, _i.by),
    "DROP_INVITE": delete(invites).where(_of(invites, "code")),
    "SETTING": select(settings.c.value).where(_of(settings, "name")),
    "SET_SETTING": _upsert_setting(),
    "CONVERSATION": select(_c.id, _c.key, _c.kind, _c.access, _c.topic, _seq()).where(_of(conversations, "key")),
    "MEMBERS": select(_a.username, _m.since, _m.moderator)
    .join_from(members, accounts, _m.account == _a.id)
    .where(_m.conversation == _given("conversation"))
    .order_by(_a.username),
    "SANCTIONS": select(_a.username, sanctions.c.kind)
    .join_from(sanctions, accounts, sanctions.c.account == _a.id)
    .where(sanctions.c.conversation == _given("conversation")),
    "SANCTION": _insert(sanctions).on_conflict_do_nothing(),
    "LIFT": delete(sanctions).where(_sanction()),
    "MODERATOR": update(members)
    .where(_m.conversation == _given("conversation"), _m.account == _given("account"))
    .values(moderator=_given("moderator")),
    "MUTE": _upsert_mute(),
    "ROOMS": select(_c.key, _c.kind, _c.access, _c.topic, _seq(), _c.members).where(_c.kind == "room").order_by(_c.id),
    "POSITION": _position(),
    "OVERVIEW": _overview(),
}
"""By the name that each has in `sql`. What is given is named, `:account`; constants are written out."""
