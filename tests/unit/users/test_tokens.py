"""Opaque tokens, and what is stored of them."""

from users import tokens


def test_tokens_are_opaque_and_differ():
    """256 random bits, URL-safe."""
    made = {tokens.new() for _ in range(100)}

    assert len(made) == 100
    assert {43} == {len(token) for token in made}


def test_the_digest_is_sha_256():
    """What is stored cannot be used as a token."""
    digest = tokens.digest("token")

    assert digest.hex() == "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0"
