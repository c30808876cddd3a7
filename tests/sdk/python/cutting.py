"""A proxy that cuts connections: after so many bytes of the answer the client loses the first, the second, …"""

from __future__ import annotations

import socket
import struct
import threading


class Cutting:
    """`with Cutting(port, 2000, 500) as proxy:` cuts two connections; those after them are whole. `reset` cuts with RST."""

    def __init__(self, port: int, *after: int, reset: bool = False) -> None:
        self._port, self._after, self._reset = port, list(after), reset
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.connections = 0

    def __enter__(self) -> Cutting:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        try:
            while True:
                client, _ = self._server.accept()
                self.connections += 1
                budget = self._after.pop(0) if self._after else None
                gateway = socket.create_connection(("127.0.0.1", self._port))
                threading.Thread(target=self._there, args=(client, gateway), daemon=True).start()
                threading.Thread(target=self._back, args=(gateway, client, budget), daemon=True).start()
        except OSError:
            pass  # the end

    def _there(self, client: socket.socket, gateway: socket.socket) -> None:
        try:
            while data := client.recv(65536):
                gateway.sendall(data)
        except OSError:
            pass
        _end(gateway)

    def _back(self, gateway: socket.socket, client: socket.socket, budget: int | None) -> None:
        try:
            while data := gateway.recv(65536 if budget is None else min(budget, 65536)):
                client.sendall(data)
                if budget is not None and (budget := budget - len(data)) == 0:
                    break
        except OSError:
            pass
        if self._reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            _end(client, socket.SHUT_RD)  # wakes the other thread, whose read would keep it open
            client.close()
        _end(client)
        _end(gateway)


def _end(sock: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    try:
        sock.shutdown(how)
    except OSError:
        pass
