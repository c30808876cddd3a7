"""The built gateway under test: started on a free port, watched, and always stopped."""

from __future__ import annotations

import copy
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import openai
import yaml

from .http1 import Connection, Reply
from .metrics import Metrics
from .ports import free_port

REPO = Path(__file__).resolve().parents[2]


def binary() -> Path:
    path = Path(os.environ.get("PRISM_BIN") or REPO / "target/debug/prism")
    assert path.is_file(), f"{path} does not exist: build it, or name another binary in PRISM_BIN"
    return path


def clean_environment(**extra: str) -> dict[str, str]:
    """No provider keys, no proxies: only what a process needs."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"RUST_BACKTRACE": "1"} | extra


def run(*args: str, cwd: Path | None = None, timeout: float = 30, **env: str) -> subprocess.CompletedProcess:
    """A command of the binary that ends by itself (`check`, `openapi`, a refused start)."""
    return subprocess.run([binary(), *args], capture_output=True, text=True, timeout=timeout, cwd=cwd,
                          stdin=subprocess.DEVNULL, env=clean_environment(**env))


class Gateway:
    """`with Gateway(config) as gateway:` serves until the block ends; then it must exit with 0 and without a panic.

    `config` is a dict, written as YAML, or None for zero configuration. Running streams get two seconds at the end
    unless the configuration says otherwise. With `listener` it is started as systemd would start it: with a socket that
    listens already. `panics` says that a panic is what is tested.
    """

    def __init__(self, config: dict | None = None, *, args: Iterable[str] = (), env: dict[str, str] | None = None,
                 key: str | None = None, host: str | None = "127.0.0.1", port: int | None = None,
                 listener: socket.socket | None = None, panics: bool = False):
        self.folder = Path(tempfile.mkdtemp(prefix="prism-test-"))
        self.config_file = self.folder / "prism.yaml"
        self.key = key
        self.port = listener.getsockname()[1] if listener else port or free_port()
        self.process: subprocess.Popen | None = None
        self._panics = panics
        command = [binary(), "--port", str(self.port), *(["--host", host] if host else [])]
        if config is not None:
            config = copy.deepcopy(config)
            config.setdefault("server", {}).setdefault("shutdown_timeout", "2s")
            self.write(config)
            command += ["--config", self.config_file]
        self._command = [str(part) for part in [*command, *args]]
        self._env = clean_environment(HOME=str(self.folder), **(env or {}))
        self._is_shared = bool(listener or port)  # then another process may answer in its place
        self._inherited = ()
        if listener:
            self._inherited = (listener.fileno(),)
            self._env |= {"LISTEN_FDS": "1", "LISTEN_FDS_FIRST_FD": str(listener.fileno())}

    # Life.

    def __enter__(self) -> Gateway:
        try:
            self.start()
        except BaseException:
            self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, kind, *_) -> None:
        try:
            if kind is None:
                died = self.process.poll()
                assert died in (None, 0), f"the gateway died with {died}\n{self.output}"
                code = self.stop()
                assert code == 0, f"exit code {code}\n{self.output}"
                assert self._panics or "panicked" not in self.output, self.output
        finally:
            self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        self.started = time.monotonic()
        with open(self.folder / "stdout", "wb") as out, open(self.folder / "stderr", "wb") as err:
            self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            cwd=self.folder, env=self._env, pass_fds=self._inherited)
        deadline = self.started + 30
        while not self._ready():
            assert self.process.poll() is None, f"the gateway ended with {self.process.returncode}\n{self.output}"
            assert time.monotonic() < deadline, f"not ready within 30 s\n{self.output}"
            time.sleep(0.01)

    def _ready(self) -> bool:
        if self._is_shared and "prism is ready" not in self.stdout:
            return False
        try:
            with Connection(self.port, timeout=5) as conn:
                conn.request("GET", "/readyz")
                return conn.reply().status == 200
        except OSError:
            return False
        except Exception:  # a TLS gateway answers plain HTTP with an alert: it listens
            return True

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def stop(self, timeout: float = 20) -> int:
        """SIGTERM and the exit code."""
        if self.process.poll() is None:
            self.terminate()
        return self.process.wait(timeout)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    # What it says.

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout").read_text(errors="replace")

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text(errors="replace")

    @property
    def output(self) -> str:
        return f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    # Its configuration.

    def write(self, config: dict | str) -> None:
        """Replaces the file as an editor does: in one step."""
        text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
        fresh = self.config_file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.config_file)

    # Talking to it.

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, **options) -> Connection:
        return Connection(self.port, **options)

    def credentials(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        headers = list(headers)
        if self.key and not any(name.lower() in ("authorization", "x-api-key") for name, _ in headers):
            headers.insert(0, ("authorization", f"Bearer {self.key}"))
        return headers

    def call(self, method: str, path: str, body: bytes | dict | None = None, headers: Iterable[tuple[str, str]] = (),
             timeout: float = 20) -> Reply:
        with self.connect(timeout=timeout) as conn:
            conn.request(method, path, body, self.credentials(headers))
            return conn.reply(bodyless=method == "HEAD")

    def get(self, path: str, headers: Iterable[tuple[str, str]] = ()) -> Reply:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: bytes | dict, headers: Iterable[tuple[str, str]] = (), timeout: float = 20) -> Reply:
        return self.call("POST", path, body, headers, timeout)

    def chat(self, body: bytes | dict, headers: Iterable[tuple[str, str]] = (), timeout: float = 20) -> Reply:
        return self.post("/v1/chat/completions", body, headers, timeout)

    def open_chat(self, body: bytes | dict, headers: Iterable[tuple[str, str]] = (), **options) -> Connection:
        """A chat request that was sent; the answer is the test's to read."""
        conn = self.connect(**options)
        conn.request("POST", "/v1/chat/completions", body, self.credentials(headers))
        return conn

    def metrics(self) -> Metrics:
        reply = self.get("/metrics")
        assert reply.status == 200, (reply.status, reply.body)
        return Metrics(reply.body.decode())

    def _client_options(self, options: dict) -> dict:
        defaults = {"base_url": f"{self.url}/v1", "api_key": self.key or "unused", "max_retries": 0, "timeout": 30}
        return defaults | options

    def openai(self, **options) -> openai.OpenAI:
        return openai.OpenAI(**self._client_options(options))

    def async_openai(self, **options) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(**self._client_options(options))


# One attempt for each candidate, whatever came before: for tests of what one answer becomes.
ONE_TRY = {"retry": {"enabled": False}, "circuit_breaker": {"enabled": False}}


def ask(model: str = "acme-large", text: str = "ping", **extra) -> dict:
    """A chat request."""
    return {"model": model, "messages": [{"role": "user", "content": text}]} | extra


def provider(upstream, *models: str, **extra) -> dict:
    """A provider of the configuration that stands for this scripted upstream."""
    return {"base_url": upstream.base_url, "models": list(models or ("acme-large",)), "discover": False} | extra
