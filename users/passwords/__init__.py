"""Which passwords are good enough, how they are kept, and how one gets a new one."""
