"""`shop verify`: do the books of all services agree with each other?"""

from shop.verify.books import Books
from shop.verify.checks import verify
from shop.verify.invariants import INVARIANTS, Invariant, Verdict, Violation

__all__ = ["INVARIANTS", "Books", "Invariant", "Verdict", "Violation", "verify"]
