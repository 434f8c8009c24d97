"""People who buy at the containers' door, and what they were told."""

import random
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from shop.chaos.buyers import PASSWORD, Buyer
from shop.chaos.client import Client
from shop.chaos.journal import Journal
from shop.sample import ACCOUNTS
from shop.sample import PASSWORD as KNOWN

#: How long those may insist who were not yet served when the others left.
_INSISTENCE = 60


class Trade:
    """Buyers of the same eight products; `journal` has what they were answered."""

    def __init__(self, url: str, buyers: int):
        self.journal = Journal()
        self._url = url
        self._closed, self._dark = threading.Event(), threading.Event()
        self.staff = self._client()
        assert self.staff.log_in(ACCOUNTS[0]["email"], KNOWN)
        goods = ({"name": f"Lantern {n}", "price": f"{n + 5}.00", "stock": 100} for n in range(8))
        path = "/api/products"
        self._goods = [self.staff.call("POST", path, one, known=(201,)).body for one in goods]
        self._buyers = buyers

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """While this lasts they buy; after it, all have been served."""
        with ThreadPoolExecutor(self._buyers) as pool:
            jobs = [pool.submit(self._buy, number) for number in range(self._buyers)]
            try:
                yield
            finally:
                self._closed.set()
                darkness = threading.Timer(_INSISTENCE, self._dark.set)
                darkness.start()
        darkness.cancel()
        for job in jobs:
            job.result()

    def _buy(self, number: int) -> None:
        client = self._client()
        client.sign_up(f"{uuid.uuid4().hex}@example.com", PASSWORD)
        buyer = Buyer(client, self.staff, self.journal, random.Random(number), self._goods)
        while not self._closed.is_set():
            buyer.visit()

    def _client(self) -> Client:
        return Client(self._url, self.journal, self._dark)
