"""One experiment a file: `run(settings, seed, log)` gives one number for each arm of its lab."""
