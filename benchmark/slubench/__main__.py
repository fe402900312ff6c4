"""`python -m slubench` and the command `slubench`."""

from slubench.cli.app import main

if __name__ == "__main__":
    main()
