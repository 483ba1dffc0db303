"""A proxy in front of a server of HTTP/1.1 that spoils answers of choice.

    with FaultProxy(port) as proxy:         # listens at proxy.port
        proxy.spoil({12: "torn", 40: "lost"})
        …                                   # requests are counted from 1 on since the last `spoil`
        proxy.before = lambda line: …       # called with the first line of each request that is passed on, before it is

Requests and answers pass unchanged, head and body: also the Host header, which signatures are over.
"""
import asyncio, socket, struct, threading

HEAD_END = b"\r\n\r\n"
STORM = 5                                                              # refusals in a row
FAULTS = {
    "error": "the request is not passed on; status 500",
    "failed after": "passed on; status 500",
    "lost": "passed on; no answer until the client gives up",
    "torn": "passed on; half of the answer's body, then the end of the connection",
    "cut head": "passed on; half of the answer's head, then the end",
    "slow": "passed on a second later",
    "storm": f"this request and the next {STORM - 1} are refused with SlowDown",
    "reset before": "not passed on; the connection is reset",
    "reset after": "passed on; the connection is reset",
}


class Message:
    """head and body of a request or an answer"""

    def __init__(self, head, body=b""):
        self.head, self.body = head, body

    def header(self, name):
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name:
                return value.strip()
        return None

    @property
    def data(self):
        return self.head + self.body


async def read_message(reader, has_body=lambda message: True):
    """None when the connection ends before the first byte"""
    try:
        message = Message(await reader.readuntil(HEAD_END))
    except asyncio.IncompleteReadError as e:
        if e.partial:
            raise
        return None
    if has_body(message):
        length = message.header(b"content-length")
        if length is not None:
            message.body = await reader.readexactly(int(length))
        elif message.head.startswith(b"HTTP/"):
            message.body = await reader.read()
    return message


class FaultProxy:
    def __init__(self, upstream):
        self.upstream, self.count, self.plan, self.storm, self.done, self.before = upstream, 0, {}, 0, [], None
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    @property
    def endpoint(self):
        return f"http://localhost:{self.port}"

    def spoil(self, plan):
        """which fault at which request, counted anew; the requests since the last call"""
        assert set(plan.values()) <= FAULTS.keys()
        count, self.count, self.plan, self.storm, self.done = self.count, 0, dict(plan), 0, []
        return count

    def _serve(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._connection, "127.0.0.1", 0, limit=1 << 20))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()
        under_way = asyncio.all_tasks(self.loop)
        for task in under_way:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*under_way, return_exceptions=True))

    async def _connection(self, reader, writer):
        try:
            while (request := await read_message(reader)) and await self._answer(request, reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):                 # the client went away
            pass
        finally:
            writer.close()

    def _fault(self, request):
        self.count += 1
        fault = self.plan.get(self.count)
        if fault == "storm":
            self.storm = STORM
        if self.storm:
            self.storm -= 1
            fault = "storm"
        if fault:
            self.done.append((self.count, fault, request.head.split(b"\r\n")[0].decode("latin-1")))
        return fault

    async def _answer(self, request, reader, writer):
        """whether the connection goes on"""
        fault = self._fault(request)
        if fault == "error":
            return await self._refuse(writer, request, 500, "InternalError")
        if fault == "storm":
            return await self._refuse(writer, request, 503, "SlowDown")
        if fault == "reset before":
            return self._reset(writer)
        if fault == "slow":
            await asyncio.sleep(1)
        answer = await self._pass_on(request)
        if fault == "failed after":
            return await self._refuse(writer, request, 500, "InternalError")
        if fault == "lost":
            await reader.read()                                        # until the client gives up
            return False
        if fault == "reset after":
            return self._reset(writer)
        if fault == "cut head":
            writer.write(answer.head[:len(answer.head) // 2])
        elif fault == "torn":
            writer.write(answer.head + answer.body[:len(answer.body) // 2] if answer.body else answer.head[:-2])
        else:
            writer.write(answer.data)
        await writer.drain()
        return fault in (None, "slow") and answer.header(b"connection") != b"close" and answer.header(b"content-length") is not None

    async def _pass_on(self, request):
        if self.before:
            self.before(request.head.split(b"\r\n")[0].decode("latin-1"))
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream, limit=1 << 20)
        writer.write(request.data)
        await writer.drain()
        answer = await read_message(reader, lambda message: not request.head.startswith(b"HEAD ") and message.head.split(b" ")[1] not in (b"204", b"304"))
        writer.close()
        return answer

    async def _refuse(self, writer, request, status, code, message="spoilt"):
        body = b"" if request.head.startswith(b"HEAD ") else f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        writer.write(f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        return True

    @staticmethod
    def _reset(writer):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False
