"""What can go wrong, said so that a person knows what to do."""

from __future__ import annotations

STATUS = {
    "bad_frame": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "too_long": 413,
    "invalid": 422,
    "rate_limited": 429,
    "internal": 500,
    "unavailable": 503,
}
"""Every error code of the protocol (section 6) and its HTTP status (section 7). `invalid` appears in REST alone."""


class AloneChatError(Exception):
    """A fault that a person can mend. `str(error)` is one sentence: what was expected, what came, what to do."""


class ConfigError(AloneChatError):
    """A setting that is unknown, of the wrong kind or out of bounds: where it stood, its key, what was expected."""


class StartError(AloneChatError):
    """The server or a tool can't start here (port taken, directory read-only, newer database). The CLI exits with 2."""


class Rejected(AloneChatError):
    """A refusal of one request. `code` is a key of `STATUS`; `retry_after` is seconds, with `rate_limited` alone;
    `nonce` is the request's, where whoever refuses knows it. `needs`: the field of the request that was missing or
    wrong, where all others were right: `otp`."""

    nonce: str | None = None

    def __init__(self, code: str, text: str, retry_after: float | None = None, needs: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.retry_after = retry_after
        self.needs = needs
