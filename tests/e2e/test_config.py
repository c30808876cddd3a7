"""The file: every mistake at once, nothing silently accepted, and changes while running."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest
import yaml

from support.gateway import Gateway, ask, provider, run
from support.upstream import completion, json_reply, stream_frames
from support.waiting import eventually

MISTAKEN = """\
server:
  port: 99999
  hots: 127.0.0.1
  header_timeout: soon
providers:
  openai: {api_key: "${NO_SUCH_VARIABLE_HERE}"}
  acme: {models: [a]}
  antropic: {api_format: antropic, base_url: "http://x/v1"}
  twice:
    base_url: not a url
    timeouts: {idle: 5s, idel: 6s}
routing:
  failover: {enabled: maybe}
cache: {ttl: 5}
auth:
  keys:
    - {key: abc}
    - {name: b, key: abcdefgh12345678, expires_at: tomorrow, allowed_ips: [nonsense]}
logging: {format: xml}
"""


def check(tmp_path, text, **env):
    file = tmp_path / "prism.yaml"
    file.write_text(text)
    return run("check", "--config", str(file), **env)


def test_all_mistakes_are_reported_at_once_with_their_lines(tmp_path):
    done = check(tmp_path, MISTAKEN)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    for word in ("99999|port", "hots", "header_timeout|soon", "NO_SUCH_VARIABLE_HERE", "acme.*base_url|base_url.*acme", "antropic",
                 "idel", "enabled|maybe", "cache", "expires_at|tomorrow", "allowed_ips|nonsense", "format|xml"):
        assert re.search(word, said), f"{word} is not mentioned:\n{said}"
    lines = {int(line) for line in re.findall(r"prism\.yaml:(\d+)", said)}
    for line in (2, 3, 4, 6, 7, 8, 10, 11, 13, 14, 17, 18, 19):
        assert line in lines, f"line {line} is not named:\n{said}"
    assert re.search(r"did you mean `host`", said) and re.search(r"did you mean `idle`", said)


def test_the_same_mistakes_keep_the_gateway_from_starting(tmp_path):
    file = tmp_path / "prism.yaml"
    file.write_text(MISTAKEN)
    done = run("--config", str(file), "--port", "0")
    assert done.returncode != 0
    assert "hots" in done.stdout + done.stderr and "cache" in done.stdout + done.stderr


def test_a_good_file_is_said_to_be_good(tmp_path):
    text = ("providers:\n  groq: {api_key: \"${GROQ_KEY}\"}\n  local: {base_url: \"${BASE:-http://127.0.0.1:9/v1}\", models: [a]}\n"
            "model_map: {fast: a}\nrouting: {timeouts: {request_timeout_seconds: 5}}\n")
    done = check(tmp_path, text, GROQ_KEY="k")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", ["", "{}", "# nothing\n", '{"providers": {"groq": {"api_key": "k"}}}'])
def test_small_files_are_fine(tmp_path, text):
    assert check(tmp_path, text).returncode == 0


@pytest.mark.parametrize("text", ["providers: [", "a: b: c", "\t- x", "providers: {a: {base_url: x}}\nproviders: {}", "- a", "5",
                                  "providers:\n  a: &x {base_url: *y}\n", "\x00"])
def test_a_broken_file_is_an_error_with_a_line_and_no_panic(tmp_path, text):
    done = check(tmp_path, text)
    said = done.stdout + done.stderr
    assert done.returncode not in (0, 101, -6), said
    assert "prism.yaml" in said and "panicked" not in said


def test_a_missing_file_is_named(tmp_path):
    done = run("check", "--config", str(tmp_path / "none.yaml"))
    assert done.returncode != 0 and "none.yaml" in done.stdout + done.stderr


def test_what_is_not_built_yet_is_refused_and_says_so(tmp_path):
    done = check(tmp_path, "cache: {enabled: true}")
    assert done.returncode != 0
    assert re.search(r"not (yet )?built|not supported yet|does not exist yet|not built yet", done.stdout + done.stderr), done


@pytest.mark.parametrize("text, needed", [("control_plane: {kv_bucket: b}", "nats"), ("control_plane: {max_staleness: 1h}", "kv_bucket")])
def test_what_means_nothing_alone_says_what_it_needs(tmp_path, text, needed):
    done = check(tmp_path, text)
    assert done.returncode != 0 and needed in done.stdout + done.stderr, done


def test_anyscale_says_that_its_shared_endpoint_is_gone(tmp_path):
    done = check(tmp_path, "providers: {anyscale: {api_key: k}}")
    assert done.returncode != 0 and "base_url" in done.stdout + done.stderr


def test_variables_are_expanded_and_may_have_defaults(upstream):
    upstream.always(json_reply(completion()))
    config = {"providers": {"acme": {"base_url": "${ACME_URL}", "api_key": "${ACME_KEY:-sk-default}", "models": ["${ACME_MODEL:-acme-large}"]}}}
    with Gateway(config, env={"ACME_URL": upstream.base_url}) as gateway:
        assert gateway.chat(ask()).status == 200
        assert upstream.last.header("authorization") == "Bearer sk-default"
    with Gateway(config, env={"ACME_URL": upstream.base_url, "ACME_KEY": "sk-a:#\"'{}"}) as gateway:
        assert gateway.chat(ask()).status == 200
        assert upstream.last.header("authorization") == "Bearer sk-a:#\"'{}", "a value is a value, whatever is in it"


def test_the_address_may_come_from_flag_environment_or_file(upstream, second):
    """Flags beat environment beats file."""
    with Gateway({"server": {"port": 1}, "providers": {"acme": provider(upstream)}}, env={"PRISM_PORT": "2"}) as gateway:
        assert gateway.get("/healthz").status == 200


def test_the_json_schema_accepts_what_the_gateway_accepts():
    done = run("schema")
    if done.returncode:
        pytest.fail(f"`prism schema` does not print the JSON Schema of the file: {done.stderr}")
    assert "providers" in json.loads(done.stdout)["properties"]


def test_a_model_map_gives_aliases_and_providers(upstream, second):
    for one in (upstream, second):
        one.always(json_reply(completion()))
    config = {"providers": {"first": provider(upstream, "acme-large"), "second": provider(second, "other")},
              "model_map": {"fast": "acme-large", "whatever-2": "second"}}
    with Gateway(config) as gateway:
        assert gateway.chat(ask("fast")).status == 200 and upstream.last.json()["model"] == "acme-large"
        assert gateway.chat(ask("whatever-2")).status == 200 and second.last.json()["model"] == "whatever-2"


def test_a_disabled_provider_is_not_there(upstream):
    with Gateway({"providers": {"acme": provider(upstream, enabled=False), "other": provider(upstream, "other")}}) as gateway:
        assert gateway.chat(ask()).status == 404
        assert not any("acme-large" in one for one in ids(gateway))


def test_a_default_model_takes_what_nobody_has(upstream):
    upstream.always(json_reply(completion()))
    with Gateway({"providers": {"acme": provider(upstream)}, "routing": {"default_model": "acme-large"}}) as gateway:
        assert gateway.chat(ask("unheard-of")).status == 200 and upstream.last.json()["model"] == "acme-large"


# Changes while running.

def config_of(*providers) -> dict:
    return {"server": {"shutdown_timeout": "2s"}, "providers": dict(providers)}


def ids(gateway):
    return {model["id"] for model in gateway.get("/v1/models").json()["data"]}


@pytest.fixture
def running(upstream, second):
    for one in (upstream, second):
        one.always(json_reply(completion()))
    with Gateway(config_of(("first", provider(upstream, "one")))) as gateway:
        yield gateway


def test_a_provider_can_be_added_changed_and_taken_away_while_running(running, upstream, second):
    assert running.chat(ask("one")).status == 200 and running.chat(ask("two")).status == 404
    running.write(config_of(("first", provider(upstream, "one")), ("second", provider(second, "two"))))
    eventually(lambda: running.chat(ask("two")).status == 200, what="the new provider")
    running.write(config_of(("first", provider(second, "one", api_key="sk-new"))))
    eventually(lambda: running.chat(ask("two")).status == 404, what="the provider to be gone")
    assert running.chat(ask("one")).status == 200
    assert second.last.header("authorization") == "Bearer sk-new"


@pytest.mark.parametrize("broken", ["providers: [", "providers: {first: {nonsense: 1}}", "", "cache: {ttl: 1}"])
def test_a_broken_file_keeps_the_last_good_one(running, upstream, second, broken):
    if not broken:
        running.config_file.unlink()
    else:
        running.write(broken)
        eventually(lambda: re.search("(?i)keep|last good|not applied|reload", running.output), what="the mistake to be logged")
    for _ in range(5):
        assert running.chat(ask("one")).status == 200
    running.write(config_of(("second", provider(second, "two"))))
    eventually(lambda: running.chat(ask("two")).status == 200, what="the mended file")


@pytest.mark.parametrize("how", ["in place", "renamed over", "by symbolic link"])
def test_every_way_of_writing_a_file_is_noticed(running, second, how):
    text = yaml.safe_dump(config_of(("second", provider(second, "two"))))
    file = running.config_file
    if how == "in place":
        file.write_text(text)
    elif how == "renamed over":
        running.write(text)
    else:  # as Kubernetes mounts a ConfigMap
        (running.folder / "real.yaml").write_text(text)
        os.symlink("real.yaml", running.folder / "link")
        os.replace(running.folder / "link", file)
    eventually(lambda: running.chat(ask("two")).status == 200, what="the change to be noticed")


def test_a_file_that_does_not_change_is_left_alone(running):
    def reads() -> int:
        return int(re.search(r"syscr: (\d+)", Path(f"/proc/{running.process.pid}/io").read_text())[1])

    running.config_file.write_text(running.config_file.read_text())
    time.sleep(0.5)  # it has been looked at by then
    before = reads()
    time.sleep(2)
    assert reads() - before < 10, "looking at it is no reason to look at it again"


def test_a_reload_breaks_no_running_stream(running, upstream, second):
    frames = stream_frames(*"abcdef")
    upstream.default = None
    conn = running.open_chat(ask("one", stream=True))
    call = upstream.take()
    call.stream_head()
    call.chunk(frames[0])
    pieces = conn.pieces(conn.head())
    assert next(pieces) == frames[0]
    running.write(config_of(("second", provider(second, "two"))))
    eventually(lambda: running.chat(ask("two")).status == 200 and running.chat(ask("one")).status == 404, what="the reload")
    for frame in frames[1:]:
        call.chunk(frame)
        assert next(pieces) == frame
    call.end()
    assert list(pieces) == []
    conn.close()


def test_keys_change_while_running(upstream):
    upstream.always(json_reply(completion()))
    config = config_of(("acme", provider(upstream)))
    old, new = "sk-prism-old-key-0001", "sk-prism-new-key-0002"
    with Gateway(config | {"auth": {"keys": [{"name": "a", "key": old}]}}, key=old) as gateway:
        assert gateway.chat(ask()).status == 200
        gateway.write(config | {"auth": {"keys": [{"name": "a", "key": new}]}})
        eventually(lambda: gateway.chat(ask()).status == 401, what="the old key to be refused")
        assert gateway.chat(ask(), [("x-api-key", new)]).status == 200


def test_a_reload_never_opens_what_needs_keys(upstream):
    """Keys that vanish from the file of a gateway on another address than loopback leave it closed."""
    key = "sk-prism-some-key-0001"
    config = {"server": {"host": "0.0.0.0", "shutdown_timeout": "2s"}, "providers": {"acme": provider(upstream)}}
    with Gateway(config | {"auth": {"keys": [{"name": "a", "key": key}]}}, key=key, host=None) as gateway:
        gateway.write(config)
        eventually(lambda: re.search("(?i)auth", gateway.output), what="the refusal to be logged")
        assert gateway.chat(ask(), [("authorization", "Bearer wrong")]).status == 401
