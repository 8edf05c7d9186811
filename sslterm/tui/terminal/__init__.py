"""The terminal itself: what is sent to it, which pictures it can show, and that it is left as it was found."""
