"""A TCP proxy between the carrier's phone and the dispatchers: the demo cuts the phone's data here."""
import asyncio
import threading


class Proxy:
    """Forwards 127.0.0.1:port to target while `open`; cut, it ends what there is and takes no more; stalled, nothing passes and
    nobody is told, as where the network only seems to be there."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.loop = asyncio.new_event_loop()
        self.writers = set()
        self.server = None
        self.port = None
        self.open = True
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.flow = asyncio.Event()
        self.flow.set()
        self._call(self._listen(0))

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(5)

    async def _listen(self, port):
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _accept(self, reader, writer):
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.close()
            return
        self.writers |= {writer, other_writer}
        await asyncio.gather(self._pump(reader, other_writer), self._pump(other_reader, writer))
        self.writers -= {writer, other_writer}

    async def _pump(self, reader, writer):
        try:
            while data := await reader.read(65536):
                await self.flow.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def cut(self):
        async def cut():
            self.server.close()
            for writer in self.writers:
                writer.transport.abort()
        if self.open:
            self.open = False
            self._call(cut())

    def stall(self):
        self.loop.call_soon_threadsafe(self.flow.clear)

    def mend(self):
        self.loop.call_soon_threadsafe(self.flow.set)
        if not self.open:
            self._call(self._listen(self.port))
            self.open = True
