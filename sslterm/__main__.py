"""`python -m sslterm` is `sslterm`."""

from sslterm.cli import main

if __name__ == "__main__":
    main()
