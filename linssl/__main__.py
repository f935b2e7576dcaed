"""`python -m linssl` is the command `linssl`."""

from linssl.cli import main

if __name__ == "__main__":
    main()
