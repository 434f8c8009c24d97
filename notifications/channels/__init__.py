"""Ways to reach people. Each channel delivers one message to one address; the same message again
is recognisable as the same, since a crash may come between the delivery and our note of it."""
