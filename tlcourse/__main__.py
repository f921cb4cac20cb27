"""`python -m tlcourse` is `tlcourse`."""

from tlcourse.cli.main import main

main()
