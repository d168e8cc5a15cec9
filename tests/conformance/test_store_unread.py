"""Unread and mentions are exact after any mix of acts: random ones, against a plain list of what was said."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from alonechat.core.store.records import Post
from tests.conformance.kept import Kept

PEOPLE = ("alice", "bob", "carol")


@dataclass
class Said:
    """One event of the model: a text of `sender`, or something else."""

    sender: str
    id: str = ""
    mentions: tuple[str, ...] = ()
    counts: bool = True


@dataclass
class Model:
    log: list[Said] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PEOPLE, 0))

    def unread(self, name: str) -> tuple[int, int]:
        waiting = [said for said in self.log[self.read[name] :] if said.counts and said.sender != name]
        return len(waiting), sum("*" in said.mentions or name in said.mentions for said in waiting)


@pytest.mark.parametrize("seed", range(3))
def test_random_acts_against_a_model(kept: Kept, seed: int) -> None:
    chance = random.Random(seed)
    models = {"#lobby": Model(), "alice bob": Model()}
    for _ in range(90):
        key = chance.choice(tuple(models))
        model, people = models[key], PEOPLE if key == "#lobby" else PEOPLE[:2]
        name = chance.choice(people)
        match chance.choices(("talk", "read", "delete", "edit", "react"), (5, 3, 2, 1, 1))[0]:
            case "talk":
                talk(kept, chance, key, model, people)
            case "read":
                seq = chance.randint(0, len(model.log))
                model.read[name] = max(model.read[name], seq)
                if model.log:
                    kept.write(lambda writes, n=name, k=key, s=seq: writes.mark_read(n, k, s))  # type: ignore[misc]
            case act:
                about(kept, act, key, model, chance)
        if model.log:
            for who in people:
                target = key if key == "#lobby" else people[1 - people.index(who)]
                assert kept.unread(who, target) == model.unread(who), (seed, key, who)


def talk(kept: Kept, chance: random.Random, key: str, model: Model, people: tuple[str, ...]) -> None:
    """Some texts at once, so that they pass the ends of what is tallied together."""
    said = []
    for _ in range(chance.choice((1, 1, 7, 40, 300))):
        mentions = chance.choice(((), (), ("*",), ("bob",), ("alice", "carol"), ("nobody",)))
        said.append(Said(chance.choice(people), mentions=mentions))
    posts = [Post("TEXT", key, each.sender, "text", mentions=list(each.mentions)) for each in said]
    for each, (event, _) in zip(said, kept.outcomes(*posts), strict=True):
        each.id = event["id"]
    model.log += said


def about(kept: Kept, act: str, key: str, model: Model, chance: random.Random) -> None:
    standing = [said for said in model.log if said.counts]
    if not standing:
        return
    said = chance.choice(standing)
    if act == "delete":
        kept.post("DELETE", key, said.sender, ref=said.id)
        said.counts = False
    elif act == "edit":
        kept.post("EDIT", key, said.sender, "changed", ref=said.id)
    else:
        kept.post("REACT", key, said.sender, chance.choice("👍🎂"), ref=said.id, nonce=str(chance.random()))
    if grew(kept, key, model):
        model.log.append(Said(said.sender, counts=False))


def grew(kept: Kept, key: str, model: Model) -> bool:
    """Whether the log has an event that the model has not (a reaction that stood already adds none)."""
    found = kept.store.conversation(key)
    return found is not None and found.seq > len(model.log)
