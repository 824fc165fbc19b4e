"""A TCP proxy between the carrier's phone and the dispatchers: the demo cuts the phone's data here."""
import asyncio
import threading


class Proxy:
    """Forwards 127.0.0.1:ports[i] to the i-th target while `open`; cut, it ends what there is and takes no more; stalled, nothing
    passes and nobody is told, as where the network only seems to be there."""

    def __init__(self, *target_ports):
        self.target_ports = target_ports
        self.loop = asyncio.new_event_loop()
        self.writers = set()
        self.servers = []
        self.ports = [0] * len(target_ports)
        self.open = True
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.flow = asyncio.Event()
        self.flow.set()
        self._call(self._listen())

    @property
    def port(self):
        return self.ports[0]

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(5)

    async def _listen(self):
        self.servers = []
        for i, target in enumerate(self.target_ports):
            server = await asyncio.start_server(lambda r, w, target=target: self._accept(r, w, target), "127.0.0.1", self.ports[i])
            self.ports[i] = server.sockets[0].getsockname()[1]
            self.servers.append(server)

    async def _accept(self, reader, writer, target):
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", target)
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
            for server in self.servers:
                server.close()
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
            self._call(self._listen())
            self.open = True
