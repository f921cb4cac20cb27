"""The kinds of parts of an exercise, a file each: how a hand-in of that kind is run, measured and decided on."""
