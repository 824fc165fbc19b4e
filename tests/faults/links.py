"""Links with faults: a proxy in user space between two processes (there is no sch_netem here to ask).  TCP or unix socket, both ways.

    open      passes everything
    cut       what there is ends, and nobody gets through
    stall     nothing passes and nobody is told: a half-open link, a packet loss that goes on
    deaf      towards the server passes; back from it nothing does (one way)
    mute      the other way round
    slow      each piece waits: 50 ms, and one in ten 300 ms more, as TCP does after a loss"""
import asyncio
import os
import random
import threading

HOW = ("cut", "stall", "deaf", "mute", "slow")


class Loop:
    """One thread that carries all links."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(5)

    def end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


class Link:
    """`listen` and `target`: a port on 127.0.0.1, or a path.  A port 0 to listen on is chosen; `port` says which."""

    def __init__(self, loop, name, listen, target, seed):
        self.loop, self.name, self.target = loop, name, target
        self.random = random.Random(seed)
        self.how = "open"
        self.flow = {True: asyncio.Event(), False: asyncio.Event()}  # towards the server: True
        self.writers = set()
        self.port = self.path = None
        loop.call(self._listen(listen))

    async def _listen(self, listen):
        for event in self.flow.values():
            event.set()
        if isinstance(listen, str):
            self.path = listen
            self.server = await asyncio.start_unix_server(self._accept, listen)
        else:
            self.server = await asyncio.start_server(self._accept, "127.0.0.1", listen)
            self.port = self.server.sockets[0].getsockname()[1]

    async def _open(self):
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _accept(self, reader, writer):
        try:
            if self.how == "cut":
                raise ConnectionError
            far_reader, far_writer = await self._open()
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self.writers |= pair
        await asyncio.gather(self._pump(reader, far_writer, True), self._pump(far_reader, writer, False))
        self.writers -= pair

    async def _pump(self, reader, writer, forward):
        try:
            while data := await reader.read(65536):
                if self.how == "slow":
                    await asyncio.sleep(0.05 + (0.3 if self.random.random() < 0.1 else 0))
                await self.flow[forward].wait()
                writer.write(data)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        writer.close()

    async def _set(self, how):
        self.how = how
        for forward, stopped in ((True, ("stall", "mute")), (False, ("stall", "deaf"))):
            if how in stopped:
                self.flow[forward].clear()
            else:
                self.flow[forward].set()
        if how == "cut":
            for writer in list(self.writers):
                writer.transport.abort()

    def set(self, how):
        self.loop.call(self._set(how))

    def mend(self):
        self.set("open")

    def end(self):
        async def end():
            self.server.close()
            for writer in list(self.writers):
                writer.transport.abort()
        self.loop.call(end())
        if self.path and os.path.exists(self.path):
            os.unlink(self.path)
