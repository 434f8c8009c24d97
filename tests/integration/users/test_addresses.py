"""The address book, over RPC on a real database."""

import uuid

import eventlet
import pytest

from chassis.errors import Conflict, Invalid, NotFound
from contracts.users.errors import TooManyAddresses
from tests.integration.users import people
from tests.integration.users.people import ADDRESS, PASSWORD, UNKNOWN
from users.addresses import commands as address_commands


@pytest.fixture
def book(users, anna):
    """`book.add_address(...)`: the methods on Anna's address book."""

    class Book:
        def __getattr__(self, method):
            return lambda **arguments: getattr(users, method)(user_id=anna["id"], **arguments)

    return Book()


def defaults(book):
    return [address["id"] for address in book.list_addresses()["items"] if address["default"]]


def test_an_address_comes_back_as_it_was_given(book):
    """With an id, and the first one as the default."""
    added = book.add_address(**ADDRESS)

    assert ADDRESS | {"id": added["id"], "default": True, "version": 1} == added
    assert added == book.get_address(address_id=added["id"]) == book.default_address()
    assert {"items": [added], "next": None} == book.list_addresses()


def test_the_first_address_need_not_be_the_default(book):
    """Whoever says so has none."""
    book.add_address(**ADDRESS, default=False)

    with pytest.raises(NotFound):
        book.default_address()


def test_one_address_is_the_default(book):
    """A new default takes over, by adding or by changing; and none may be."""
    first = book.add_address(**ADDRESS)["id"]
    second = book.add_address(**ADDRESS)["id"]
    assert [first] == defaults(book)

    third = book.add_address(**ADDRESS, default=True)["id"]
    assert [third] == defaults(book)

    assert book.update_address(address_id=second, **ADDRESS, default=True)["default"]
    assert [second] == defaults(book)
    assert book.update_address(address_id=second, **ADDRESS, default=True)["default"]
    assert [second] == defaults(book)

    assert not book.update_address(address_id=second, **ADDRESS, default=False)["default"]
    assert defaults(book) == []


def test_changing_writes_the_whole_address(book):
    """What is not given becomes empty; being the default stays."""
    full = ADDRESS | {"line2": "Door 7", "region": "Styria"}
    added = book.add_address(**full)
    shorter = {name: value for name, value in ADDRESS.items() if value is not None}

    changed = book.update_address(address_id=added["id"], **(shorter | {"city": "Linz"}))

    assert ADDRESS | {"id": added["id"], "default": True, "city": "Linz", "version": 2} == changed


def test_new_defaults_at_the_same_instant(book):
    """Every change succeeds, and one of them is the default in the end."""
    ids = [book.add_address(**ADDRESS)["id"] for _ in range(4)]

    threads = [
        eventlet.spawn(book.update_address, address_id=address_id, **ADDRESS, default=True)
        for address_id in ids * 2
    ]

    assert all(thread.wait()["default"] for thread in threads)
    assert len(defaults(book)) == 1


def test_deleting(book):
    """Gone, and a second time not found."""
    address_id = book.add_address(**ADDRESS)["id"]

    assert book.delete_address(address_id=address_id) is None

    for gone in (book.delete_address, book.get_address):
        with pytest.raises(NotFound):
            gone(address_id=address_id)


def test_somebody_elses_address_is_not_found(users, book):
    """Not readable, changeable or deletable by its id, and still there."""
    ben = users.sign_up(email="ben@example.com", password=PASSWORD)["id"]
    address_id = book.add_address(**ADDRESS)["id"]

    for method, fields in [
        ("get_address", {}),
        ("update_address", ADDRESS | {"default": True}),
        ("delete_address", {}),
    ]:
        for stranger in (ben, UNKNOWN):
            with pytest.raises(NotFound):
                getattr(users, method)(user_id=stranger, address_id=address_id, **fields)
    assert book.get_address(address_id=address_id)


def test_the_book_is_bounded(book, service, anna):
    """Fifty addresses, also when the last ones come at once."""
    insert = (
        "INSERT INTO addresses (id, user_id, line1, city, postal_code, country, is_default,"
        " version, created_at) SELECT gen_random_uuid(), :id, 'x', 'x', 'x', 'AT', false, 1, now()"
        " FROM generate_series(1, 49) RETURNING id"
    )
    people.rows(service, insert, id=anna["id"])

    def add(context):
        return address_commands.add(context, uuid.UUID(anna["id"]), **ADDRESS)

    assert isinstance(people.overlap(service, add, add), TooManyAddresses)
    with pytest.raises(Conflict) as caught:
        book.add_address(**ADDRESS)
    assert caught.value.code == "too_many_addresses"
    assert len(book.list_addresses()["items"]) == 50


def test_another_address_becomes_the_default(book):
    """When the default one goes, the one that was added last takes its place."""
    first = book.add_address(**ADDRESS)["id"]
    second = book.add_address(**ADDRESS)["id"]
    third = book.add_address(**ADDRESS)["id"]

    book.delete_address(address_id=first)
    assert defaults(book) == [third]
    book.delete_address(address_id=second)
    assert defaults(book) == [third]
    book.delete_address(address_id=third)
    assert defaults(book) == []


def test_whoever_wants_no_default_gets_none_by_deleting(book):
    """Only the default one leaves its place to another."""
    first = book.add_address(**ADDRESS, default=False)["id"]
    book.add_address(**ADDRESS, default=False)
    book.delete_address(address_id=first)
    assert defaults(book) == []


def test_a_default_without_a_recipient_is_for_its_owner(users, anna, book):
    """Orders keep the name of whom they are sent to; the address book keeps what was written."""
    users.update(user_id=anna["id"], partial=True, first_name="Anna", last_name="Huber")
    added = book.add_address(**{n: v for n, v in ADDRESS.items() if n != "name"})
    assert added["name"] is None
    assert book.default_address()["name"] == "Anna Huber"
    replaced = book.update_address(address_id=added["id"], **ADDRESS | {"name": "Eva Huber"})
    assert replaced["name"] == book.default_address()["name"] == "Eva Huber"


def test_an_address_has_the_parts_that_its_country_has(book):
    """No postal code in Qatar, no city in Singapore; the phone number is kept as E.164."""
    doha = {"line1": "12 Corniche", "city": "Doha", "country": "QA"}
    assert book.add_address(**doha)["postal_code"] is None
    added = book.add_address(
        line1="1 Raffles Place", postal_code="048616", country="SG", phone="6123 4567"
    )
    assert (added["city"], added["phone"]) == (None, "+6561234567")


@pytest.mark.parametrize("column", ["phone", "postal_code", "city"])
def test_what_was_taken_once_stays(book, service, column):
    """An address of before today's rules can be changed elsewhere; what of it is changed, or is of
    another country now, has to follow them."""
    added = book.add_address(**ADDRESS)
    stored = {"phone": "+4312", "postal_code": "80100", "city": None}[column]
    people.rows(service, f"UPDATE addresses SET {column} = :stored RETURNING 1", stored=stored)
    address = ADDRESS | {column: stored}

    changed = book.update_address(address_id=added["id"], **address | {"line1": "Main St 2"})

    assert (changed[column], changed["line1"]) == (stored, "Main St 2")
    for wrong in ({column: "+43 1"}, {"country": "CH"}):
        if column == "city" and wrong.keys() == {"city"}:
            continue  # any city is one
        with pytest.raises(Invalid) as refused:
            book.update_address(address_id=added["id"], **address | wrong)
        assert column in refused.value.errors
    with pytest.raises(Invalid):
        book.add_address(**address)
