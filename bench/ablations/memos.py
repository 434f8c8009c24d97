"""What functions of the search that remember their results are worth, within one process:

    python -W ignore -m bench.ablations.memos

The sample catalog is indexed with the memory and without it, in turns. A row says how many times
the processor time it takes without: the median over the rounds, lowest and highest.
"""

import statistics
import time
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import click

from bench.ablations import WORTH
from products.search import stemming, terms, tokens, tsquery
from shop.sample import departments

ROUNDS = 15

_PRODUCTS = [product.fields | {"sku": product.sku} for product in departments.read()[1]]


#: What is remembered, and the modules that know it.
_MEMOS: dict[str, tuple[str, list[Any]]] = {
    "chunks of texts": ("_known", [tokens]),
    "terms of a chunk": ("_terms_of", [terms]),
    "words of a chunk for spelling": ("_spelling_words", [terms]),
    "stems": ("stem", [stemming, terms, tsquery]),
}


@click.command()
def main() -> None:
    """Print a row for each."""
    for title, (name, modules) in _MEMOS.items():
        _seconds()  # so that there is something to remember
        found = [_ratio(name, modules) for _ in range(ROUNDS)]
        ratio = statistics.median(found)
        verdict = "stays" if ratio >= 1 + WORTH else "goes"
        spread = f"{min(found):.2f} – {max(found):.2f}"
        click.echo(f"| {title} (`{name}`) | {ratio:.2f} | {spread} | {verdict} |")


def _ratio(name: str, modules: list[Any]) -> float:
    with_it = _seconds()
    with ExitStack() as stack:
        for module in modules:
            plain = getattr(module, name).__wrapped__
            stack.enter_context(patch.object(module, name, plain))
        return _seconds() / with_it


def _seconds() -> float:
    """Processor time for the whole catalog."""
    began = time.process_time()
    for product in _PRODUCTS:
        terms.index_terms(product)
    return time.process_time() - began


if __name__ == "__main__":
    main()
