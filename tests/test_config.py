"""Settings: which source wins, what is refused and how it is said, and the secret that signs tokens."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from alonechat import config
from alonechat.config import PREFIX, PROFILES, ROWS, VARIABLES, Settings, load, new_secret, row, shown
from alonechat.errors import ConfigError, StartError

ROOT = Path(__file__).resolve().parents[1]


def write(directory: Path, text: str) -> Path:
    """A settings file in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / config.FILE
    path.write_text(text, "utf-8")
    return path


def refusal(tmp_path: Path, flags: Mapping[str, object] | None = None, **environ: str) -> str:
    """What `load` says against these."""
    with pytest.raises(ConfigError) as caught:
        load(flags or {}, environ, tmp_path)
    return str(caught.value)


# --- which source wins ---


def test_flags_win_over_the_environment_over_the_file_over_the_profile(tmp_path: Path) -> None:
    path = write(tmp_path, 'port = 1\napi_port = 2\nregistration = "closed"\nlog_keep = 4\n')
    environ = {"ALONECHAT_PORT": "10", "ALONECHAT_API_PORT": "20"}
    found = load({"port": "100", "env": "production"}, environ, tmp_path)
    assert (found.port, found.api_port, found.registration, found.log_keep) == (100, 20, "closed", 4)
    assert found.origins["port"] == "flag --port"
    assert found.origins["api_port"] == "ALONECHAT_API_PORT"
    assert found.origins["registration"] == str(path)
    assert found.origins["heartbeat"] == "default"
    assert load({}, {}, tmp_path / "elsewhere").port == 8765


@pytest.mark.parametrize(
    ("profile", "registration", "level", "cost"),
    [
        ("development", "open", "debug", 16384),
        ("production", "invite", "info", 16384),
        ("testing", "open", "info", 1024),
    ],
)
def test_each_profile_has_defaults_of_its_own(
    tmp_path: Path, profile: str, registration: str, level: str, cost: int
) -> None:
    found = load({"env": profile}, {}, tmp_path)
    assert (found.registration, found.log_level, found.scrypt_n) == (registration, level, cost)


def test_a_flag_that_was_not_given_and_an_empty_variable_count_as_absent(tmp_path: Path) -> None:
    found = load({"port": None}, {"ALONECHAT_PORT": "", "JWT_SECRET": ""}, tmp_path)
    assert found.port == 8765
    assert found.jwt_secret is None


def test_the_file_in_the_data_directory_wins_over_the_one_here_and_a_named_one_over_both(tmp_path: Path) -> None:
    write(tmp_path, "port = 1\n")
    assert load({}, {}, tmp_path).port == 1
    write(tmp_path / "data", "port = 2\n")
    assert load({}, {}, tmp_path).port == 2
    named = tmp_path / "other.toml"
    named.write_text("port = 3\n")
    assert load({}, {"ALONECHAT_CONFIG": "other.toml"}, tmp_path).port == 3
    assert load({"config": str(named)}, {"ALONECHAT_CONFIG": "missing.toml"}, tmp_path).port == 3


def test_paths_start_where_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "server.toml"
    write(path.parent, 'log_dir = "logs"\n').rename(path)
    found = load({"config": "etc/server.toml", "data_dir": "here"}, {}, tmp_path)
    assert found.log_dir == tmp_path / "etc" / "logs"
    assert found.data_dir == tmp_path / "here"
    assert found.database_url == f"sqlite:///{tmp_path.as_posix()}/here/alonechat.db"


def test_a_data_directory_from_the_file_moves_the_database_too(tmp_path: Path) -> None:
    write(tmp_path, 'data_dir = "kept"\n')
    assert load({}, {}, tmp_path).database_url.endswith("/kept/alonechat.db")


def test_the_file_in_the_data_directory_can_not_move_it(tmp_path: Path) -> None:
    write(tmp_path / "data", 'data_dir = "elsewhere"\n')
    assert "data_dir can't be set by the file that lies in the data directory" in refusal(tmp_path)


def test_values_are_understood_as_people_write_them(tmp_path: Path) -> None:
    environ = {
        "ALONECHAT_PLUGINS": "No",
        "ALONECHAT_VERBOSE": "1",
        "ALONECHAT_OUTBOX": "2 MiB",
        "ALONECHAT_LOG_MAX_BYTES": "64k",
        "ALONECHAT_RATE_MESSAGES": "0.5",
        "ALONECHAT_TRUSTED_PROXY": "10.0.0.1, 192.168.0.0/16 2001:db8::/32",
    }
    found = load({}, environ, tmp_path)
    assert (found.plugins, found.verbose, found.outbox, found.log_max_bytes) == (False, True, 2 << 20, 64 << 10)
    assert found.rate_messages == 0.5
    networks = ("10.0.0.1/32", "192.168.0.0/16", "2001:db8::/32")
    assert found.trusted_proxy == tuple(ip_network(each) for each in networks)


def test_a_file_holds_every_kind_of_value(tmp_path: Path) -> None:
    write(
        tmp_path, 'plugins = false\nrate_messages = 3\noutbox = "1 MiB"\ntrusted_proxy = ["127.0.0.1"]\nname = "茶"\n'
    )
    found = load({}, {}, tmp_path)
    assert (found.plugins, found.rate_messages, found.outbox, found.name) == (False, 3.0, 1 << 20, "茶")
    assert found.trusted_proxy == (ip_network("127.0.0.1/32"),)


def test_a_settings_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / config.FILE).write_bytes(b"\xef\xbb\xbfport = 7\n")
    assert load({}, {}, tmp_path).port == 7


# --- what is refused ---


def test_an_unknown_key_is_refused_with_file_key_and_what_was_meant(tmp_path: Path) -> None:
    path = write(tmp_path, "prot = 1\n")
    assert refusal(tmp_path) == f"{path}: the key 'prot' is unknown; did you mean port?"


def test_an_unknown_variable_is_refused_with_what_was_meant(tmp_path: Path) -> None:
    said = refusal(tmp_path, ALONECHAT_DATADIR="x")
    assert said == "the environment variable ALONECHAT_DATADIR is unknown; did you mean ALONECHAT_DATA_DIR?"
    assert "did you mean JWT_SECRET?" in refusal(tmp_path, ALONECHAT_JWT_SECRET="x" * 40)
    assert "alonechat config shows all there are" in refusal(tmp_path, ALONECHAT_QQQQ="x")


def test_variables_of_commands_and_of_other_programs_are_let_be(tmp_path: Path) -> None:
    assert load({}, {**dict.fromkeys(VARIABLES, ""), "HOME": "/", "PORT": "x"}, tmp_path).port == 8765


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('port = "8765"', "port must be an integer from 0 to 65535, not '8765'"),
        ("port = true", "port must be an integer from 0 to 65535, not True"),
        ("port = 1.5", "port must be an integer from 0 to 65535, not 1.5"),
        ("port = 65536", "port must be an integer from 0 to 65535, not 65536"),
        ("plugins = 1", "plugins must be true or false, not 1"),
        ('plugins = "yes"', "plugins must be true or false, not 'yes'"),
        ('rate_messages = "10"', "rate_messages must be a number of at least 0, not '10'"),
        ("rate_messages = nan", "rate_messages must be a number of at least 0, not nan"),
        ("rate_messages = inf", "rate_messages must be a number of at least 0, not inf"),
        ('registration = "all"', "registration must be one of open, invite, closed, not 'all'"),
        ("name = 5", "name must be a text of 1 to 64 characters, not 5"),
        (
            'outbox = "5 miles"',
            "outbox must be a number of bytes (KiB and MiB may follow) of at least 4096, not '5 miles'",
        ),
        ("data_dir = 5", "data_dir must be a path, not 5"),
        ('data_dir = "~nobody-of-that-name/x"', "data_dir must be a path, not '~nobody-of-that-name/x'"),
        ('trusted_proxy = "10.0.0.300"', "trusted_proxy must be addresses or networks such as 10.0.0.1"),
        ("trusted_proxy = 5", "trusted_proxy must be addresses or networks such as 10.0.0.1"),
        ("[server]\nport = 1", "the key 'server' is unknown"),
    ],
)
def test_a_wrong_value_is_refused_with_file_key_and_what_was_expected(tmp_path: Path, text: str, expected: str) -> None:
    path = write(tmp_path, text)
    said = refusal(tmp_path)
    assert said.startswith(f"{path}: ")
    assert expected in said


def test_a_wrong_flag_or_variable_is_named_as_it_was_given(tmp_path: Path) -> None:
    assert refusal(tmp_path, {"api_port": "web"}) == "--api-port must be an integer from 0 to 65535, not 'web'"
    assert refusal(tmp_path, ALONECHAT_VERBOSE="maybe") == "ALONECHAT_VERBOSE must be true or false, not 'maybe'"
    assert "must be an integer from 0 to 65535" in refusal(tmp_path, ALONECHAT_PORT="9" * 5000)


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    write(tmp_path, "jwt_secret = 12345678\n")
    said = refusal(tmp_path)
    assert "12345678" not in said
    assert "***" in said


def test_a_file_that_is_no_toml_or_no_utf8_or_not_there_is_refused(tmp_path: Path) -> None:
    assert "is not TOML" in refusal(tmp_path, {"config": str(write(tmp_path, "port = = 1"))})
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    assert "must be UTF-8" in refusal(tmp_path, {"config": "latin.toml"})
    assert "can't be read: No such file" in refusal(tmp_path, {"config": "missing.toml"})


def test_tls_needs_both_files(tmp_path: Path) -> None:
    assert refusal(tmp_path, {"tls_cert": "a.pem"}) == "tls_cert is set without tls_key: TLS needs both, or neither"
    assert refusal(tmp_path, {"tls_key": "a.pem"}) == "tls_key is set without tls_cert: TLS needs both, or neither"


def test_the_cost_of_a_hash_is_a_power_of_two(tmp_path: Path) -> None:
    assert "a power of two such as 16384, not 1000" in refusal(tmp_path, {"scrypt_n": "1000"})


def test_production_refuses_a_short_secret_and_says_how_to_make_one(tmp_path: Path) -> None:
    said = refusal(tmp_path, {"env": "production"}, JWT_SECRET="12345678")
    assert said == "JWT_SECRET has 8 bytes; production needs 32 or more: alonechat secret new"
    assert load({"env": "production"}, {"JWT_SECRET": new_secret()}, tmp_path).jwt_secret
    assert load({}, {"JWT_SECRET": "12345678"}, tmp_path).secret() == b"12345678"


# --- the table itself ---


def test_every_setting_has_a_variable_a_help_and_allowed_defaults(tmp_path: Path) -> None:
    for each in ROWS:
        assert each.variable == ("JWT_SECRET" if each.secret else PREFIX + each.name.upper())
        assert each.help
        for profile in PROFILES:
            value = each.default_in(profile)
            if value not in (None, ()) and each.name != "database_url":
                text = str(value)
                assert getattr(load({"env": profile}, {each.variable: text}, tmp_path), each.name) is not None, (
                    each.name
                )


def test_every_variable_that_the_code_reads_is_known() -> None:
    known = {each.variable for each in ROWS} | set(VARIABLES)
    named = re.compile(r"\bALONECHAT_[A-Z_]*[A-Z]\b")
    for path in (*ROOT.glob("alonechat/**/*.py"), *ROOT.glob("tools/**/*.py"), ROOT / "build.py"):
        unknown = set(named.findall(path.read_text("utf-8"))) - known
        assert not unknown, f"{path} names {unknown}, which alonechat.config would refuse"


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    made = Settings(jwt_secret="s3cret" * 8, database_url="postgresql://chat:p@ss:w@db.lan/chat?sslpassword=q")
    assert shown(made, row("jwt_secret")) == "***"
    assert shown(made, row("database_url")) == "postgresql://chat:***@db.lan/chat?sslpassword=***"
    assert "s3cret" not in repr(made)


def test_values_are_shown_as_the_settings_file_takes_them() -> None:
    made = Settings(trusted_proxy=(ip_network("10.0.0.0/8"),), rate_messages=2.5)
    shows = {name: shown(made, row(name)) for name in ("plugins", "tls_cert", "trusted_proxy", "rate_messages", "port")}
    assert shows == {
        "plugins": "true",
        "tls_cert": "",
        "trusted_proxy": "10.0.0.0/8",
        "rate_messages": "2.5",
        "port": "8765",
    }


# --- the secret ---


def test_a_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "data")
    first = settings.secret()
    assert len(first) >= 32
    assert settings.secret() == first
    assert Settings(data_dir=tmp_path / "other").secret() != first
    if os.name == "posix":
        assert stat.S_IMODE((settings.data_dir / "jwt.secret").stat().st_mode) == 0o600
        assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
    assert [each.name for each in settings.data_dir.iterdir()] == ["jwt.secret"]


def test_first_starts_at_the_same_time_get_the_same_secret(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from alonechat.config import Settings;\
            sys.stdin.read(); print(Settings(data_dir=Path(sys.argv[1])).secret().decode())"
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    racers = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    said: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda i=i, p=p: said.update({i: p.communicate()[0]})) for i, p in enumerate(racers)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(said) == 4
    assert len(set(said.values())) == 1
    assert len(said[0].strip()) >= 32


def test_without_hard_links_the_second_start_still_takes_the_first_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "rename" if os.name == "nt" else "link", refuse)
    settings = Settings(data_dir=tmp_path)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(settings.secret())) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_damaged_secret_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "jwt.secret").write_text("short\n")
    with pytest.raises(StartError, match="has 5 bytes, 32 or more are needed"):
        Settings(data_dir=tmp_path).secret()


def test_a_secret_that_can_not_be_kept_is_said_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the directory should be")
    with pytest.raises(StartError, match=r"jwt\.secret can't be read or written"):
        Settings(data_dir=tmp_path / "data").secret()


def test_a_made_secret_is_long_enough_for_production_and_safe_in_a_shell() -> None:
    made = {new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(re.fullmatch(r"[\w-]{43}", each) for each in made)
