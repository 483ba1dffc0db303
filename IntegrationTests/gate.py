"""A gate in front of a server: closed, nobody listens and connections are reset, as when a service or its network is gone; silent, it takes requests and never answers.

    with Gate(port) as gate:                # listens at gate.port, and passes on to `port`
        gate.close()
        …
        gate.silence()
        …
        gate.open()
"""
import socket, struct, threading


class Gate:
    def __init__(self, upstream):
        self.upstream, self.port, self.listener, self.connections, self.lock = upstream, None, None, set(), threading.Lock()
        self.is_silent, self.asked = False, threading.Event()
        self.open()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def open(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port or 0))
        listener.listen(64)
        self.port, self.listener, self.is_silent = listener.getsockname()[1], listener, False
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()

    def silence(self):
        """takes requests and never answers any more; `asked` is set by the first of a new connection"""
        self.asked.clear()
        if not self.listener:
            self.open()
        self.is_silent = True

    def close(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        with self.lock:
            connections, self.connections = self.connections, set()
        for connection in connections:
            self._reset(connection)

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
                if self.is_silent:
                    with self.lock:
                        self.connections.add(near)
                    self.asked.set()
                    continue
                far = socket.create_connection(("127.0.0.1", self.upstream))
            except OSError:
                return
            with self.lock:
                is_open = self.listener is listener
                if is_open:
                    self.connections |= {near, far}
            if not is_open:
                self._reset(near)
                return
            for source, target in (near, far), (far, near):
                threading.Thread(target=self._pass, args=[source, target], daemon=True).start()

    def _pass(self, source, target):
        try:
            while data := source.recv(1 << 16):
                if not self.is_silent:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            self._reset(source)
            self._reset(target)

    @staticmethod
    def _reset(connection):
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        connection.close()
