"""`python -m ssd_centerloss` is the command `ssd-centerloss`."""

from ssd_centerloss.cli import main

if __name__ == "__main__":
    main()
