"""Work that outlives the terminal: the supervisor, how it is started and stopped, and the queue for a device."""
