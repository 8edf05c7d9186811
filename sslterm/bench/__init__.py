"""How fast this machine does what sslterm does, each figure beside a reference taken in the same minute."""
