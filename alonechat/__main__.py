"""Hands over to the command line."""

from alonechat.cli import main

if __name__ == "__main__":
    main()
