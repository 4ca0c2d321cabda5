"""Run the command line as `python -m phial`."""

from phial.cli import main

if __name__ == "__main__":
    main()
