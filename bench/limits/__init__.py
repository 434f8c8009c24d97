"""What cannot be beaten: the bare work, without a shop around it.

Each module is a program: `python -m bench.limits.amqp_loop --help`. It prints JSON.
"""
