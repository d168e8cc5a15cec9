"""/poll "Lunch?" noodles rice: a vote by reaction."""

from __future__ import annotations

import shlex

from alonechat.errors import Rejected
from alonechat.plugins.contract import CommandPluginBase, PluginMetadata

MARKS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣")


class Poll(CommandPluginBase):
    """Posts the question with a number for each answer; votes are reactions with that number, which the log keeps."""

    _metadata = PluginMetadata("poll", "1.0.0", '/poll "Lunch?" noodles rice: votes by reaction', "AloneChat")

    def can_handle(self, content: str) -> bool:
        return content.split(None, 1)[0] == "/poll"

    def execute(self, content: str, sender: str, target: str | None = None) -> str:
        try:
            question, *answers = shlex.split(content.replace("“", '"').replace("”", '"'))[1:]
        except ValueError:
            question, answers = "", []
        if not question or not 2 <= len(answers) <= len(MARKS):
            raise Rejected("bad_frame", f'use it as /poll "Question?" answer "another answer" (2 to {len(MARKS)})')
        lines = [f"{mark} {answer}" for mark, answer in zip(MARKS, answers, strict=False)]
        return "\n".join([f"📊 {question}", *lines, "Vote with a reaction."])
