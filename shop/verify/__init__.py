"""`shop verify`: do the books of all services agree with each other?"""

from shop.verify.books import Books
from shop.verify.invariants import INVARIANTS, Breach, Invariant, Verdict
from shop.verify.looks import verify

__all__ = ["INVARIANTS", "Books", "Breach", "Invariant", "Verdict", "verify"]
