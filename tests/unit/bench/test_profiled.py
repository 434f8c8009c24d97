"""What py-spy saw, by what the code is for."""

from bench.profiled import by_purpose

SAMPLES = """\
main (eventlet/green.py:1);place (orders/checkout/commands.py:2);go (sqlalchemy/engine/base.py:3) 5
main (eventlet/green.py:1);on (chassis/broker/reconnecting.py:2);recv (eventlet/greenio/base.py:9) 2
main (eventlet/green.py:1);place (orders/checkout/commands.py:2) 1
run (eventlet/hubs/hub.py:1);wait (eventlet/hubs/poll.py:2);do_poll (eventlet/hubs/epolls.py:3) 90
"""


def test_the_innermost_code_that_has_a_purpose_decides():
    """The loop that waits for something to do is no work."""
    found = by_purpose(SAMPLES.splitlines())
    assert found == {"database": 5 / 8, "broker": 2 / 8, "everything else": 1 / 8}
