"""`shop chaos`: buyers contend for scarce stock while the shop's processes are killed, stopped and
cut off from each other; then the books of all services have to agree (`shop.verify`)."""
